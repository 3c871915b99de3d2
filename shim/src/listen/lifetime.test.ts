import { Lifetime } from './lifetime.ts';

const IDLE_MS = 3_000;

let lifetime: Lifetime;
let empty: boolean;
let events: number;
let ended: number;
let mayEnd: boolean;

beforeEach(() => {
  jest.useFakeTimers();
  [empty, events, ended, mayEnd] = [true, 0, 0, true];
  lifetime = new Lifetime({
    ...{ isEmpty: () => empty, eventsWaiting: () => events, idleMs: IDLE_MS },
    end: () => {
      ended++;
      if (mayEnd) lifetime.stop();
      return mayEnd;
    },
  });
});

afterEach(() => {
  lifetime.stop();
  jest.useRealTimers();
});

/** The container lives between two looks. */
const live = (id: string) => {
  lifetime.hold(id);
  lifetime.release(id);
};

describe('the warm process', () => {
  it('stays for whoever has started it, and then for what it was promised', () => {
    jest.advanceTimersByTime(29_000);
    lifetime.hold('c1');
    jest.advanceTimersByTime(29_000);
    expect(ended).toBe(0);
    jest.advanceTimersByTime(1_500 + IDLE_MS);
    expect(ended).toBe(1);
  });

  it('ends when it has been idle for long enough', () => {
    live('c1');
    jest.advanceTimersByTime(IDLE_MS - 1);
    expect(ended).toBe(0);
    jest.advanceTimersByTime(500);
    expect(ended).toBe(1);
  });

  it('is not idle when containers come and go between two looks', () => {
    for (let turn = 0; turn < 20; turn++) {
      live(`c${turn}`);
      jest.advanceTimersByTime(1_000);
    }
    expect(ended).toBe(0);
  });

  it('keeps its promise to one when another has come', () => {
    lifetime.hold('a');
    lifetime.hold('b');
    lifetime.release('a');
    jest.advanceTimersByTime(IDLE_MS * 5);
    expect(ended).toBe(0);
    lifetime.release('b');
    jest.advanceTimersByTime(IDLE_MS + 500);
    expect(ended).toBe(1);
  });

  it('stays for containers, and longer for events', () => {
    live('c1');
    empty = false;
    jest.advanceTimersByTime(100_000);
    empty = true;
    events = 1;
    jest.advanceTimersByTime(59_000);
    expect(ended).toBe(0);
    jest.advanceTimersByTime(2_000);
    expect(ended).toBe(1);
  });

  it('goes on when somebody has just asked for it', () => {
    live('c1');
    mayEnd = false;
    jest.advanceTimersByTime(IDLE_MS + 500);
    expect(ended).toBe(1);
    jest.advanceTimersByTime(IDLE_MS - 750);
    expect(ended).toBe(1);
    expect(lifetime.isOver).toBe(false);
  });
});
