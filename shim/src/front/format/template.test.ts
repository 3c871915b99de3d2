import { compileTemplate } from './template.ts';

const value = {
  Name: 'web',
  State: { Running: true, Pid: 7, Health: null },
  Labels: { 'a.b': '1', c: '2' },
  Args: ['x', 'y'],
  Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
};

describe('compileTemplate', () => {
  it.each([
    ['{{.Name}}', 'web'],
    ['{{ .State.Pid }}\\t{{.Name}}', '7\tweb'],
    ['{{json .Args}}', '["x","y"]'],
    ['{{json .}}', JSON.stringify(value)],
    ['{{.Args}} {{.Labels}}', '[x y] map[a.b:1 c:2]'],
    ['{{join .Args ", "}}', 'x, y'],
    ['{{.Name | upper | printf "%-5s|"}}', 'WEB  |'],
    ['{{index .Labels "a.b"}}', '1'],
    ['{{(index (index .Ports "80/tcp") 0).HostPort}}', '8080'],
    ['{{range .Args}}<{{.}}>{{end}}', '<x><y>'],
    ['{{range $i, $a := .Args}}{{$i}}={{$a}};{{end}}', '0=x;1=y;'],
    ['{{range $k, $v := .Labels}}{{$k}}:{{$v}} {{end}}', 'a.b:1 c:2 '],
    ['{{if .State.Running}}up{{else}}down{{end}}', 'up'],
    ['{{if not .State.Running}}down{{else if eq .Name "web"}}web{{else}}else{{end}}', 'web'],
    ['{{with .State}}{{.Pid}}{{$.Name}}{{end}}', '7web'],
    ['{{$x := .Name}}{{len $x}}', '3'],
    ['{{println .Name}}', 'web\n'],
    ['a {{- " b " -}} c', 'a b c'],
    ['{{truncate .Name 2}}{{pad .Name 1 2}}', 'we web  '],
    ['{{if and .Name (gt .State.Pid 5)}}y{{end}}', 'y'],
    ['{{.Labels.missing}}', '<no value>'],
    ['{{/* nothing */}}x', 'x'],
    ['{{`a{{b`}}', 'a{{b'],
  ])('executes %s', (template, expected) => {
    expect(compileTemplate(template)(value)).toBe(expected);
  });

  it.each([
    ['{{.Nope}}', "can't evaluate field Nope"],
    ['{{nope .Name}}', 'function "nope" not defined'],
    ['{{.Name', 'unclosed action'],
    ['{{if .Name}}x', 'unexpected EOF'],
    ['{{end}}', 'unexpected {{end}}'],
    ['{{$y}}', 'undefined variable'],
    ['{{}}', 'missing value'],
    ['{{.Name | }}', 'missing value'],
    ['{{index .Args 9}}', 'out of range'],
    ['{{.Name.X}}', "can't evaluate field X"],
  ])('refuses %s', (template, message) => {
    expect(() => compileTemplate(template)(value)).toThrow(message);
  });
});
