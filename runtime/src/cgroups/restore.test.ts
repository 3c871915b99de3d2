import { restoreValues } from './restore.ts';

describe('restoreValues', () => {
  it.each([
    ['memory.max', '100', 'max\n', ['max\n']],
    ['cpuset.cpus', '0', '\n', ['\n']],
    ['cpu.max', '5000', 'max 100000\n', ['max 100000\n']],
    ['io.weight', '50', 'default 100\n8:0 200\n', ['default 100', '8:0 200']],
    ['io.bfq.weight', '50', '100\n', ['100']],
    ['io.weight', '8:0 50', 'default 100\n8:0 200\n', ['8:0 200']],
    ['io.weight', '8:16 50', 'default 100\n8:0 200\n', ['8:16 default']],
    ['io.max', '8:0 rbps=1', '8:0 rbps=max wbps=5 riops=max wiops=max\n', ['8:0 rbps=max wbps=5 riops=max wiops=max']],
    ['io.max', '8:0 rbps=1', '', ['8:0 rbps=max wbps=max riops=max wiops=max']],
    ['rdma.max', 'mlx4_0 hca_handle=2', 'mlx4_0 hca_handle=max hca_object=max\n', ['mlx4_0 hca_handle=max hca_object=max']],
    ['misc.max', 'res_b 5', 'res_a max\nres_b 10\n', ['res_b 10']],
    ['misc.max', 'res_c 5', 'res_a max\n', []],
    ['cpu.pressure', 'some 150000 1000000', 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n', []],
  ])('undoes a write to %s of %j where there was %j', (file, value, old, expected) => {
    expect(restoreValues(file, value, old)).toEqual(expected);
  });
});
