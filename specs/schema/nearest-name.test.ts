import { findNearestName } from './nearest-name.ts';

describe('findNearestName', () => {
  it.each([
    ['termnal', 'terminal'],
    ['additionalGIDs', 'additionalGids'],
    ['enviroment', undefined],
    ['envs', 'env'],
    ['readOnly', 'readonly'],
    ['nmae', undefined],
    ['x', undefined],
    ['', undefined],
  ])('finds for %s the name %s', (name, expected) => {
    expect(findNearestName(name, ['terminal', 'additionalGids', 'env', 'readonly', 'cwd'])).toBe(expected);
  });

  it('prefers the nearer of two names', () => {
    expect(findNearestName('uidMapping', ['gidMappings', 'uidMappings'])).toBe('uidMappings');
  });
});
