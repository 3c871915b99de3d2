import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeSys } from '../../../runtime/src/sys/node.ts';
import { groupOf } from './group.ts';

describe('groupOf', () => {
  let bundle: string;
  beforeEach(() => {
    bundle = mkdtempSync(join(tmpdir(), 'tsrun-group-'));
  });
  afterEach(() => rmSync(bundle, { recursive: true }));

  const group = (environ: string[], config: string): string => {
    writeFileSync(join(bundle, 'config.json'), config);
    return groupOf({ ...createNodeSys(), environ }, bundle);
  };
  const pod = ['TSRUN_SHIM_GROUP=pod'];
  const annotated = (annotations: object) => JSON.stringify({ ociVersion: '1.0.2', annotations });

  it('is the namespace’s unless the environment says otherwise', () => {
    const config = annotated({ 'io.kubernetes.cri.sandbox-id': 's1' });
    for (const environ of [[], ['TSRUN_SHIM_GROUP='], ['TSRUN_SHIM_GROUP=namespace']]) expect(group(environ, config)).toBe('');
  });

  it('is the pod’s, by the annotation of the group before that of the sandbox', () => {
    expect(group(pod, annotated({ 'io.kubernetes.cri.sandbox-id': 's1' }))).toBe('s1');
    expect(group(pod, annotated({ 'io.kubernetes.cri.sandbox-id': 's1', 'io.containerd.runc.v2.group': 'g1' }))).toBe('g1');
    for (const config of ['{}', 'null', '{"annotations":null}', annotated({ other: 'x' })]) expect(group(pod, config)).toBe('');
    rmSync(join(bundle, 'config.json'));
    expect(groupOf({ ...createNodeSys(), environ: pod }, bundle)).toBe('');
  });

  it('says what it does not understand', () => {
    expect(() => group(['TSRUN_SHIM_GROUP=pods'], '{}')).toThrow('TSRUN_SHIM_GROUP is "pods": it must be namespace or pod');
    expect(() => group(pod, '{')).toThrow(/config\.json cannot be read for its annotations: /);
  });
});
