/** What a client says of a standard stream: a path of a named pipe, or a URI (containerd's runtime v2 README, "IO"). Pure. */
import { StatusCode, StatusError } from '../base/status.ts';

export type StreamTarget =
  | { readonly kind: 'null' }
  /** A named pipe that the client has made and reads. */
  | { readonly kind: 'fifo'; readonly path: string }
  /** Appended to, as it is. */
  | { readonly kind: 'file'; readonly path: string }
  /** A logger that is started. `acknowledged`: it must write a byte when it is ready; otherwise the end of that descriptor will do. */
  | { readonly kind: 'binary'; readonly path: string; readonly args: readonly string[]; readonly acknowledged: boolean }
  /** docker's format, one JSON object a line, in files that are rotated. */
  | { readonly kind: 'json-file'; readonly path: string; readonly maxSizeBytes: number; readonly maxFiles: number };

/** A file may grow without end. */
const UNLIMITED = Number.POSITIVE_INFINITY;

/** @param stream for the message: `stdout` @throws StatusError InvalidArgument */
export function parseStreamTarget(text: string, stream: string): StreamTarget {
  if (text === '') return { kind: 'null' };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//.exec(text)?.[1];
  if (scheme === undefined) {
    if (text.startsWith('/')) return { kind: 'fifo', path: text };
    throw invalid(stream, text, 'is neither an absolute path nor a URI');
  }
  const rest = text.slice(scheme.length + 3);
  const [path = '', query = ''] = splitOnce(rest, '?').map((part, index) => (index === 0 ? decode(part, stream, text) : part));
  if (!path.startsWith('/')) throw invalid(stream, text, 'names no absolute path');
  switch (scheme) {
    case 'fifo':
      return { kind: 'fifo', path };
    case 'file':
      return { kind: 'file', path };
    case 'binary':
    case 'binary-v2':
      return { kind: 'binary', path, args: loggerArguments(query, stream, text), acknowledged: scheme === 'binary-v2' };
    case 'json-file':
      return jsonFile(path, query, stream, text);
    default:
      throw invalid(stream, text, 'has a scheme that is not fifo, file, binary, binary-v2 or json-file');
  }
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decode(part: string, stream: string, text: string): string {
  try {
    const decoded = decodeURIComponent(part.replaceAll('+', '%2B'));
    if (decoded.includes('\0')) throw invalid(stream, text, 'holds a NUL character');
    return decoded;
  } catch (error) {
    if (error instanceof URIError) throw invalid(stream, text, 'is not encoded as a URI');
    throw error;
  }
}

/** Each name and its value are an argument of their own; an empty value is none, as with containerd's Go shim. */
function loggerArguments(query: string, stream: string, text: string): string[] {
  return parameters(query, stream, text).flatMap(([name, value]) => (value === '' ? [name] : [name, value]));
}

function parameters(query: string, stream: string, text: string): (readonly [string, string])[] {
  return query
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const [name = '', value = ''] = splitOnce(part.replaceAll('+', ' '), '=').map((word) => decode(word, stream, text));
      return [name, value] as const;
    });
}

function jsonFile(path: string, query: string, stream: string, text: string): StreamTarget {
  let maxSizeBytes = UNLIMITED;
  let maxFiles = 1;
  for (const [name, value] of parameters(query, stream, text)) {
    if (!/^[1-9]\d{0,14}$/.test(value)) throw invalid(stream, text, `has a ${name} that is not a positive number`);
    if (name === 'max-size') maxSizeBytes = Number(value);
    else if (name === 'max-file') maxFiles = Number(value);
    else throw invalid(stream, text, `has a parameter ${name} that is not max-size or max-file`);
  }
  if (maxFiles > 1 && maxSizeBytes === UNLIMITED) throw invalid(stream, text, 'has max-file without max-size');
  return { kind: 'json-file', path, maxSizeBytes, maxFiles };
}

function invalid(stream: string, text: string, what: string): StatusError {
  return new StatusError(StatusCode.invalidArgument, `${stream}: ${JSON.stringify(text)} ${what}`);
}
