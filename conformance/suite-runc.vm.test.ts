import { suiteInGuest } from './suite-in-guest.ts';

suiteInGuest('runc', 500);
