/** Who wants to know what an operation spends its time on. */
export interface Tracer {
  /** A phase begins, within the one that goes on. */
  begin(name: string, details?: PhaseDetails): void;
  /** The innermost phase ends, and the next one of its kind begins. */
  next(name: string, details?: PhaseDetails): void;
  /** The innermost phase ends. What an error leaves open is for whoever made the tracer to close. */
  end(): void;
}

export type PhaseDetails = Readonly<Record<string, string | number>>;
