import { suiteInGuest } from './suite-in-guest.ts';

suiteInGuest('tsrun', 600);
// One at a time: where a create fails, crun does not always wait for its process to be gone, and then leaves the cgroup.
suiteInGuest('crun', 20, ['--filter', 'cgroups', '--jobs', '1']);
