import { END_HEADERS, END_STREAM, FRAME, field, http2Frame, requestFields, setting, uint32 } from './http2-bytes.ts'

/** What RFC 9113 asks of a server: to end the connection, to reset the stream, or to go on. */
export type Reaction = 'connection' | 'stream' | 'none'

/** Bytes behind a client's preface, and the least that they must lead to. */
export interface H2SpecCase {
  readonly section: string
  readonly name: string
  readonly least: Reaction
  readonly bytes: readonly Uint8Array[]
}

const PRIORITY = 2
const PADDED = 8
const FLAG_PRIORITY = 0x20
const SELF = 1
const REQUEST = requestFields('/echo/wait')
const MAX_FRAME = 16_384
const LARGEST = 2 ** 31 - 1

function headers(stream = SELF, flags = END_HEADERS | END_STREAM, block: Uint8Array = REQUEST): Buffer {
  return http2Frame(FRAME.headers, flags, stream, block)
}

/** A stream that stays open for the client. */
const OPEN: Buffer = headers(SELF, END_HEADERS)

function data(size: number, stream = SELF, flags = 0): Buffer {
  return http2Frame(FRAME.data, flags, stream, Buffer.alloc(size))
}

function continuation(stream = SELF, flags = END_HEADERS, block: Uint8Array = field('x-more', '1')): Buffer {
  return http2Frame(FRAME.continuation, flags, stream, block)
}

function request(...fields: readonly [string, string][]): Buffer {
  return headers(SELF, END_HEADERS, Buffer.concat(fields.map(([name, value]) => field(name, value))))
}

const METHOD: [string, string] = [':method', 'POST']
const SCHEME: [string, string] = [':scheme', 'http']
const PATH: [string, string] = [':path', '/echo/wait']
const AUTHORITY: [string, string] = [':authority', 'localhost']
const PLAIN = [METHOD, SCHEME, PATH, AUTHORITY]

function rst(stream = SELF): Buffer {
  return http2Frame(FRAME.rstStream, 0, stream, uint32(8))
}

function settings(payload: Uint8Array): Buffer {
  return http2Frame(FRAME.settings, 0, 0, payload)
}

function windowUpdate(stream: number, by: number): Buffer {
  return http2Frame(FRAME.windowUpdate, 0, stream, uint32(by))
}

const dependency = (on: number): Buffer => Buffer.concat([uint32(on), Buffer.from([15])])

const CASES: readonly [string, string, Reaction, ...Uint8Array[]][] = [
  ['4.1', 'a frame of an unknown type', 'none', http2Frame(FRAME.unknown, 0, 0, Buffer.alloc(8))],
  ['4.1', 'flags that have no meaning', 'none', http2Frame(FRAME.ping, 0x16, 0, Buffer.alloc(8))],
  ['4.1', 'the reserved bit of a stream id', 'none', http2Frame(FRAME.ping, 0, 0x8000_0000, Buffer.alloc(8))],
  ['4.2', 'DATA of the largest size', 'none', OPEN, http2Frame(FRAME.unknown, 0, SELF, Buffer.alloc(MAX_FRAME))],
  ['4.2', 'DATA beyond the largest size', 'stream', OPEN, data(MAX_FRAME + 1)],
  ['4.2', 'HEADERS beyond the largest size', 'connection', headers(SELF, END_HEADERS, Buffer.alloc(MAX_FRAME + 1))],
  ['4.3', 'a header block that cannot be decoded', 'connection', headers(SELF, 5, Buffer.from('ffffffffff', 'hex'))],
  ['4.3', 'PRIORITY inside a header block', 'connection', headers(1, 1), http2Frame(PRIORITY, 0, 1, dependency(0))],
  ['4.3', 'HEADERS of another stream inside a header block', 'connection', headers(1, END_STREAM), headers(3)],
  ['5.1', 'DATA on an idle stream', 'connection', data(1)],
  ['5.1', 'RST_STREAM on an idle stream', 'connection', rst()],
  ['5.1', 'WINDOW_UPDATE on an idle stream', 'connection', windowUpdate(SELF, 1)],
  ['5.1', 'CONTINUATION on an idle stream', 'connection', continuation()],
  ['5.1', 'DATA on a half-closed stream', 'stream', headers(), data(1)],
  ['5.1', 'HEADERS on a half-closed stream', 'stream', headers(), headers()],
  ['5.1', 'CONTINUATION on a half-closed stream', 'connection', headers(), continuation()],
  ['5.1', 'DATA after RST_STREAM', 'stream', OPEN, rst(), data(1)],
  ['5.1', 'HEADERS after RST_STREAM', 'stream', OPEN, rst(), headers()],
  ['5.1', 'CONTINUATION after RST_STREAM', 'connection', OPEN, rst(), continuation()],
  ['5.1.1', 'a stream of an even number', 'connection', headers(2)],
  ['5.1.1', 'a stream of a smaller number than the one before', 'connection', headers(5), headers(3)],
  ['5.3.1', 'HEADERS that depend on themselves', 'stream', headers(1, 0x25, Buffer.concat([dependency(1), REQUEST]))],
  ['5.3.1', 'PRIORITY that depends on itself', 'stream', OPEN, http2Frame(PRIORITY, 0, 1, dependency(1))],
  ['5.5', 'an unknown frame inside a header block', 'connection', headers(1, 1), http2Frame(FRAME.unknown, 0, 0)],
  ['6.1', 'DATA on stream 0', 'connection', data(1, 0)],
  ['6.1', 'DATA with more padding than bytes', 'connection', OPEN, http2Frame(0, PADDED, 1, Buffer.from([6, 0, 0]))],
  ['6.2', 'HEADERS on stream 0', 'connection', headers(0)],
  ['6.2', 'HEADERS with more padding than bytes', 'connection', headers(1, 5 | PADDED, Buffer.from([9, 1]))],
  ['6.2', 'HEADERS too short for their priority', 'connection', headers(1, 5 | FLAG_PRIORITY, Buffer.from([0, 0]))],
  ['6.3', 'PRIORITY on stream 0', 'connection', http2Frame(PRIORITY, 0, 0, dependency(1))],
  ['6.3', 'PRIORITY of a wrong size', 'stream', OPEN, http2Frame(PRIORITY, 0, 1, Buffer.alloc(4))],
  ['6.4', 'RST_STREAM on stream 0', 'connection', rst(0)],
  ['6.4', 'RST_STREAM of a wrong size', 'connection', OPEN, http2Frame(FRAME.rstStream, 0, 1, Buffer.alloc(3))],
  ['6.5', 'an acknowledgement of SETTINGS with a payload', 'connection', http2Frame(4, 1, 0, setting(3, 1))],
  ['6.5', 'SETTINGS on a stream', 'connection', http2Frame(FRAME.settings, 0, 1, setting(3, 1))],
  ['6.5', 'SETTINGS of a wrong size', 'connection', settings(Buffer.alloc(3))],
  ['6.5.2', 'ENABLE_PUSH of 2', 'connection', settings(setting(2, 2))],
  ['6.5.2', 'INITIAL_WINDOW_SIZE beyond 2^31 - 1', 'connection', settings(setting(4, 2 ** 31))],
  ['6.5.2', 'MAX_FRAME_SIZE below 2^14', 'connection', settings(setting(5, MAX_FRAME - 1))],
  ['6.5.2', 'MAX_FRAME_SIZE beyond 2^24 - 1', 'connection', settings(setting(5, 2 ** 24))],
  ['6.5.2', 'a setting without a meaning', 'none', settings(setting(0xff, 1))],
  ['6.7', 'an acknowledgement of no PING', 'none', http2Frame(FRAME.ping, 1, 0, Buffer.alloc(8))],
  ['6.7', 'PING on a stream', 'connection', http2Frame(FRAME.ping, 0, 1, Buffer.alloc(8))],
  ['6.7', 'PING of a wrong size', 'connection', http2Frame(FRAME.ping, 0, 0, Buffer.alloc(6))],
  ['6.8', 'GOAWAY on a stream', 'connection', http2Frame(FRAME.goaway, 0, 1, uint32(0, 0))],
  ['6.9', 'WINDOW_UPDATE of 0 on the connection', 'connection', windowUpdate(0, 0)],
  ['6.9', 'WINDOW_UPDATE of 0 on a stream', 'stream', OPEN, windowUpdate(SELF, 0)],
  ['6.9', 'WINDOW_UPDATE of a wrong size', 'connection', http2Frame(FRAME.windowUpdate, 0, 0, Buffer.alloc(3))],
  [
    '6.9.1',
    'a window of the connection beyond 2^31 - 1',
    'connection',
    windowUpdate(0, LARGEST),
    windowUpdate(0, LARGEST),
  ],
  ['6.9.1', 'a window of a stream beyond 2^31 - 1', 'stream', OPEN, windowUpdate(1, LARGEST), windowUpdate(1, LARGEST)],
  [
    '6.10',
    'a header block in many frames',
    'none',
    headers(1, 0),
    continuation(1, 0),
    continuation(1, 0),
    continuation(),
  ],
  ['6.10', 'CONTINUATION behind the end of a header block', 'connection', OPEN, continuation()],
  ['6.10', 'CONTINUATION on stream 0', 'connection', headers(1, END_STREAM), continuation(0)],
  ['6.10', 'CONTINUATION behind DATA', 'connection', OPEN, data(0), continuation()],
  ['8.1', 'a second HEADERS that does not end the stream', 'stream', OPEN, headers(1, END_HEADERS)],
  ['8.2', 'a name in upper case', 'stream', request(...PLAIN, ['X-Upper', '1'])],
  ['8.2.2', 'a field of the connection', 'stream', request(...PLAIN, ['connection', 'keep-alive'])],
  ['8.2.2', 'TE other than trailers', 'stream', request(...PLAIN, ['te', 'gzip'])],
  ['8.3', 'a pseudo-header without a meaning', 'stream', request(...PLAIN, [':unknown', '1'])],
  ['8.3', 'a pseudo-header of responses', 'stream', request(...PLAIN, [':status', '200'])],
  ['8.3', 'a pseudo-header behind a field', 'stream', request(METHOD, SCHEME, AUTHORITY, ['a', 'b'], PATH)],
  ['8.3', 'a pseudo-header in trailers', 'stream', OPEN, headers(1, 5, field(':method', 'POST'))],
  ['8.3.1', 'no :method', 'stream', request(SCHEME, PATH, AUTHORITY)],
  ['8.3.1', 'no :scheme', 'stream', request(METHOD, PATH, AUTHORITY)],
  ['8.3.1', 'no :path', 'stream', request(METHOD, SCHEME, AUTHORITY)],
  ['8.3.1', 'an empty :path', 'stream', request(METHOD, SCHEME, [':path', ''], AUTHORITY)],
  ['8.3.1', ':method twice', 'stream', request(METHOD, METHOD, SCHEME, PATH, AUTHORITY)],
  ['8.3.1', ':scheme twice', 'stream', request(METHOD, SCHEME, SCHEME, PATH, AUTHORITY)],
  ['8.3.1', ':path twice', 'stream', request(METHOD, SCHEME, PATH, PATH, AUTHORITY)],
  ['8.1.1', 'DATA short of the content-length', 'stream', request(...PLAIN, ['content-length', '9']), data(1, 1, 1)],
  ['8.1.1', 'DATA in pieces short of it', 'stream', request(...PLAIN, ['content-length', '9']), data(1), data(1, 1, 1)],
  ['8.4', 'PUSH_PROMISE of a client', 'connection', OPEN, http2Frame(FRAME.pushPromise, 4, 1, uint32(2))],
]

/**
 * The cases of h2spec that matter to a server, by the sections of RFC 9113.
 *
 * @see https://github.com/summerwind/h2spec
 */
export const H2SPEC_CASES: readonly H2SpecCase[] = CASES.map(([section, name, least, ...bytes]) => ({
  section,
  name,
  least,
  bytes,
}))
