/** Names of the Control service, for those who speak it by hand: see control.ts. */
export const CONTROL_SERVICE = 'tsrun.shim.v1.Control';
export const HOLD_METHOD = 'Hold';
export const TTRPC_ADDRESS_KEY = 'tsrun-ttrpc-address';
