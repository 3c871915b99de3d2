import { familiarReference, formatReference, parseReference, withDefaultTag } from './reference.ts';

const hex = 'ab'.repeat(32);

describe('parseReference', () => {
  it.each([
    ['busybox', 'docker.io/library/busybox', 'busybox'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['user/app', 'docker.io/user/app', 'user/app'],
    ['docker.io/busybox', 'docker.io/library/busybox', 'busybox'],
    ['index.docker.io/user/app:x', 'docker.io/user/app:x', 'user/app:x'],
    ['docker.io/library/a/b', 'docker.io/library/a/b', 'library/a/b'],
    ['localhost/app', 'localhost/app', 'localhost/app'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c'],
    ['[::1]:5000/app', '[::1]:5000/app', '[::1]:5000/app'],
    ['MyHost/app', 'MyHost/app', 'MyHost/app'],
    ['host:80/app', 'host:80/app', 'host:80/app'],
    ['host/app', 'docker.io/host/app', 'host/app'],
    ['ghcr.io/o/a__b.c---d', 'ghcr.io/o/a__b.c---d', 'ghcr.io/o/a__b.c---d'],
    [`a@sha256:${hex}`, `docker.io/library/a@sha256:${hex}`, `a@sha256:${hex}`],
    [`a:t@sha256:${hex}`, `docker.io/library/a:t@sha256:${hex}`, `a:t@sha256:${hex}`],
    ['localhost', 'docker.io/library/localhost', 'localhost'],
  ])('reads %s as %s', (text, full, familiar) => {
    const reference = parseReference(text);
    expect(formatReference(reference)).toBe(full);
    expect(familiarReference(reference)).toBe(familiar);
    expect(parseReference(full)).toEqual(reference);
    expect(parseReference(familiar)).toEqual(reference);
  });

  it.each([
    ['', /empty/],
    [hex, /image id/],
    ['Foo', /must be lowercase/],
    ['user/Foo:x', /repository name \(user\/Foo\) must be lowercase/],
    ['a//b', /not a repository name/],
    ['/a', /not a registry host/],
    ['a/', /not a repository name/],
    ['example.com/', /missing/],
    ['a___b', /not a repository name/],
    ['-a', /not a repository name/],
    ['a..b', /not a repository name/],
    ['../etc/passwd', /not a registry host/],
    ['a:', /not a tag/],
    ['a:-x', /not a tag/],
    [`a:${'t'.repeat(129)}`, /not a tag/],
    ['a@sha256:12', /not a digest/],
    ['a@', /not a digest/],
    ['-x.com/a', /not a registry host/],
    ['ex_a.com/a', /not a registry host/],
    [`${'a'.repeat(128)}/${'b'.repeat(128)}`, /longer than 255/],
    ['a\n', /not a repository name/],
    ['a b', /not a repository name/],
  ])('refuses %j', (text, message) => {
    expect(() => parseReference(text)).toThrow(message);
  });

  it('allows 128 characters of tag', () => {
    expect(parseReference(`a:${'t'.repeat(128)}`).tag).toHaveLength(128);
  });
});

describe('withDefaultTag', () => {
  it('adds latest only where nothing says which image', () => {
    expect(withDefaultTag(parseReference('a')).tag).toBe('latest');
    expect(withDefaultTag(parseReference('a:b')).tag).toBe('b');
    expect(withDefaultTag(parseReference(`a@sha256:${hex}`)).tag).toBeUndefined();
  });
});
