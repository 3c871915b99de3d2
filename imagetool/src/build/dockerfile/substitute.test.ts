// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the language under test.

import { variablesOf } from './scope.ts';
import { substitute, substituteWords } from './substitute.ts';

const VARIABLES = variablesOf(
  Object.entries({
    HOME: '/home/me',
    EMPTY: '',
    DASHES: '1-2-3',
    FILE: 'archive.tar.gz',
    PATH_: '/usr/local/bin',
    STARS: 'a*b*c',
    WORDS: ' two  words ',
    '\u00E4_1': 'umlaut',
    SMILE: '\u{1F600}x\u{1F600}',
  }),
);

const expand = (text: string, token: '\\' | '`' = '\\') => substitute(text, VARIABLES, { escape: token });

describe('substitute', () => {
  it.each([
    ['plain', 'plain'],
    ['', ''],
    ['a"b"c', 'abc'],
    ["'a b'", 'a b'],
    ['"it\'s"', "it's"],
    ['\'say "x"\'', 'say "x"'],
    ['a\\tb', 'atb'],
    ['"a\\tb"', 'a\\tb'],
    ['"a\\"b\\\\c\\$d"', 'a"b\\c$d'],
    ["'a\\'", 'a\\'],
    ['end\\', 'end'],
    ['a\\\\', 'a\\'],
    ['$', '$'],
    ['$.', '$.'],
    ['a$HOME.', 'a/home/me.'],
    ['$HOMEx', ''],
    ['${HOME}x', '/home/mex'],
    ['"$HOME"', '/home/me'],
    ["'$HOME'", '$HOME'],
    ['\\$HOME', '$HOME'],
    ['\\\\$HOME', '\\/home/me'],
    ['\\${HOME}', '${HOME}'],
    ['$1x', 'x'],
    ['$12x', 'x'],
    ['$@$*$#$?$-$$$!$0x', 'x'],
    ['${1:-one}', 'one'],
    ['$\u00E4_1', 'umlaut'],
    ['$WORDS', ' two  words '],
    ['<a><<b', '<a><<b'],
  ])('takes quotes, escapes and variables: %j', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it.each([
    ['${NO:-d}', 'd'],
    ['${NO-d}', 'd'],
    ['${EMPTY:-d}', 'd'],
    ['${EMPTY-d}', ''],
    ['${HOME:-d}', '/home/me'],
    ['${NO:+a}', ''],
    ['${NO+a}', ''],
    ['${EMPTY:+a}', ''],
    ['${EMPTY+a}', 'a'],
    ['${HOME:+a}', 'a'],
    ['${HOME?no}', '/home/me'],
    ['${EMPTY?no}', ''],
    ['${NO:-$HOME}', '/home/me'],
    ['${NO:-${ALSO_NO:-x}}y', 'xy'],
    ['${NO:-"}"}', '}'],
    ['${NO:-\\}}', '}'],
    ['${NO:-a b}', 'a b'],
    ['${NO:-}', ''],
    ['${HOME:+${NO}}', ''],
    ['${HOME}}', '/home/me}'],
  ])('knows defaults: %j', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it.each([
    ['${FILE%.*}', 'archive.tar'],
    ['${FILE%%.*}', 'archive'],
    ['${FILE#*.}', 'tar.gz'],
    ['${FILE##*.}', 'gz'],
    ['${FILE#x}', 'archive.tar.gz'],
    ['${DASHES#*-}', '2-3'],
    ['${DASHES%-*}', '1-2'],
    ['${DASHES//-/.}', '1.2.3'],
    ['${DASHES##[1]}', '1-2-3'],
    ['${FILE%archive}', 'archive.tar.gz'],
    ['${FILE#????}', 'ive.tar.gz'],
    ['${FILE##*}', ''],
    ['${FILE#*}', 'archive.tar.gz'],
    ['${STARS#a\\*}', 'b*c'],
    ['${STARS%%\\**}', 'a'],
    ['${NO#x}', ''],
    ['${SMILE#?}', 'x\u{1F600}'],
    ['${SMILE%?}', '\u{1F600}x'],
    ['${FILE%.${NO:-gz}}', 'archive.tar'],
    ['${PATH_/local/opt}', '/usr/opt/bin'],
    ['${PATH_//\\//-}', '-usr-local-bin'],
    ['${FILE/a*r/b}', 'b.gz'],
    ['${FILE//r/}', 'achive.ta.gz'],
    ['${FILE/x/y}', 'archive.tar.gz'],
    ['${HOME/\\/me/$HOME}', '/home/home/me'],
    ['${STARS/\\*/$}', 'a$b*c'],
  ])('knows patterns: %j', (text, expected) => {
    expect(expand(text)).toBe(expected);
  });

  it.each([
    ['"open', /double quote is never closed/],
    ["'open", /single quote is never closed/],
    ['"open\\"', /double quote/],
    ['${}', /name is missing/],
    ['${:-x}', /name is missing/],
    ['${{x}', /name is missing/],
    ['${', /'}' is missing/],
    ['${HOME', /'}' is missing/],
    ['${HOME:-x', /"}" is missing/],
    ['${HOME:=x}', /there is no such form/],
    ['${HOME=x}', /there is no such form/],
    ['${HOME:x}', /there is no such form/],
    ['${HOME:#x}', /there is no such form/],
    ['${.}', /there is no such form/],
    ['${NO?}', /^NO is not set/],
    ['${NO:?say it}', /^NO: say it$/],
    ['${EMPTY:?}', /^EMPTY is empty/],
    ['${HOME/x}', /"\/" is missing/],
    ['${HOME#\\x}', /means nothing in the pattern/],
  ])('refuses %j', (text, message) => {
    expect(() => expand(text)).toThrow(message);
  });

  it('takes the escape character of the file', () => {
    expect(expand('`$HOME \\x ``', '`')).toBe('$HOME \\x `');
    expect(expand('"a`"b\\n"', '`')).toBe('a"b\\n');
  });

  it('leaves the quotes of a heredoc alone', () => {
    const body = `it's "$HOME" '\\$HOME'\n`;
    expect(substitute(body, VARIABLES, { escape: '\\', quotesArePlain: true })).toBe(`it's "/home/me" '$HOME'\n`);
  });

  it('tells which variables were asked for', () => {
    const asked: [string, boolean][] = [];
    substitute("$HOME ${NO:-$FILE} '$NOT' ${EMPTY:+$X}", VARIABLES, { escape: '\\', onName: (...one) => asked.push(one) });
    expect(asked).toEqual([
      ['HOME', true],
      ['FILE', true],
      ['NO', false],
      ['X', false],
      ['EMPTY', true],
    ]);
  });
});

describe('substituteWords', () => {
  it.each([
    ['a  b', ['a', 'b']],
    ['$WORDS', ['two', 'words']],
    ['"$WORDS"', [' two  words ']],
    ['x$WORDS', ['x', 'two', 'words']],
    ['a\\ b', ['a b']],
    ['$NO', []],
    ['""', []],
  ])('splits %j', (text, words) => {
    expect(substituteWords(text, VARIABLES, { escape: '\\' })).toEqual(words);
  });
});
