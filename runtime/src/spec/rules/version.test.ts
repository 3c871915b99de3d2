import { findErrors, findWarnings } from '../test/findings.ts';

describe('oci-version', () => {
  it.each(['1.0.0', '1.0.2-dev', '1.1.0-rc.1', '1.3.0+dev', '1.3.1-rc.1+build.7'])('accepts %s', (ociVersion) => {
    expect(findErrors({ ociVersion })).toEqual([]);
  });

  it.each(['', 'invalid', '1', '1.0', 'v1.0.0', '1.0.0 ', '01.0.0', '1.00.0', '1.0.0-', '0.6.0', '1.0.0-rc5', '2.0.0'])(
    'refuses %j',
    (ociVersion) => {
      expect(findErrors({ ociVersion })).toEqual(['oci-version ociVersion']);
    },
  );
});

describe('oci-version-newer', () => {
  it.each([
    ['1.3.9', []],
    ['1.4.0', ['oci-version-newer ociVersion']],
    ['1.10.0', ['oci-version-newer ociVersion']],
  ])('warns about what is newer than 1.3: %s', (ociVersion, expected) => {
    expect(findWarnings({ ociVersion })).toEqual(expected);
  });
});
