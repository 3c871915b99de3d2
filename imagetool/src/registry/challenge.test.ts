import { parseChallenges } from './challenge.ts';

describe('parseChallenges', () => {
  it.each([
    [
      'Bearer realm="https://auth.example/token",service="registry",scope="repository:a/b:pull,push"',
      [{ scheme: 'bearer', parameters: { realm: 'https://auth.example/token', service: 'registry', scope: 'repository:a/b:pull,push' } }],
    ],
    ['Basic realm="x \\"y\\""', [{ scheme: 'basic', parameters: { realm: 'x "y"' } }]],
    ['Basic', [{ scheme: 'basic', parameters: {} }]],
    [
      'Basic realm="a", Bearer realm="b" , error=insufficient_scope',
      [
        { scheme: 'basic', parameters: { realm: 'a' } },
        { scheme: 'bearer', parameters: { realm: 'b', error: 'insufficient_scope' } },
      ],
    ],
    ['', []],
    [',,,', []],
  ])('reads %j', (header, challenges) => {
    expect(parseChallenges([header])).toEqual(challenges);
  });
});
