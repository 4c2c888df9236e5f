import type { Http2Session } from 'node:http2'
import type { Duplex } from 'node:stream'

// Node.js calls us from within nghttp2, and runs the promises that this has resolved before it goes back there. A session
// that ends at that point can loop for ever over what its other streams have still to send, or fail an assertion of
// nghttp2, which ends the process. So a session ends in a turn of its own.

/** Ends a session, and the socket below it, soon. */
export function destroySession(session: Http2Session, socket?: Duplex): void {
  setImmediate(() => {
    session.destroy()
    socket?.destroy()
  })
}

/** Sends GOAWAY soon; the session ends with its last stream. */
export function closeSession(session: Http2Session): void {
  setImmediate(() => {
    if (!session.closed) session.close()
  })
}
