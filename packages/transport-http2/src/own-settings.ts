import type { Settings } from 'node:http2'

// Of the numbers that are free to use (RFC 9113, section 11.3). A proxy keeps settings to itself, so that there are no
// lanes through one, which could send each request to another server.

/** With it a server says how many streams it lets a connection have, besides a lane. */
export const STREAMS_SETTING = 0xf0c1
/** With it a server says how many calls it takes at a time on a lane; without it there are no lanes. */
export const LANE_SETTING = 0xf0c2

/** The streams that the peer's settings allow. */
export function streamsIn({ customSettings, maxConcurrentStreams }: Settings): number {
  return customSettings?.[STREAMS_SETTING] ?? maxConcurrentStreams ?? Number.POSITIVE_INFINITY
}

/** The calls that it takes on a lane; 0 where it takes no lanes. */
export function laneCallsIn({ customSettings }: Settings): number {
  return customSettings?.[LANE_SETTING] ?? 0
}
