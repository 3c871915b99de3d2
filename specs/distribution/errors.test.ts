import { parseDistributionErrors } from './errors.ts';

describe('parseDistributionErrors', () => {
  it('reads codes, messages and details', () => {
    expect(parseDistributionErrors('{"errors":[{"code":"DENIED","message":"no","detail":{"a":1}},{"code":"X"}]}')).toEqual([
      { code: 'DENIED', message: 'no', detail: { a: 1 } },
      { code: 'X' },
    ]);
  });

  it.each(['', '<html>', 'null', '[]', '{"errors":{}}', '{"errors":[null,{},{"code":1}]}'])('finds nothing in %j', (body) => {
    expect(parseDistributionErrors(body)).toEqual([]);
  });
});
