import type { Target } from '../engine/target.ts'
import { cbor } from './cbor.ts'
import { channelClient, channelServer, laneClient, laneServer } from './channels.ts'
import { controlItems } from './control-items.ts'
import { firstMessage } from './first-message.ts'
import { http2Connector, http2Listener } from './http2.ts'
import { quicConnector, quicDatagrams, quicStreams, quicTampered } from './quic.ts'
import { quicInitials } from './quic-initials.ts'
import { wireFrames } from './wire-frames.ts'

/** All that is fuzzed. */
export const TARGETS: readonly Target[] = [
  wireFrames,
  cbor,
  firstMessage,
  controlItems,
  channelServer,
  channelClient,
  laneServer,
  laneClient,
  http2Listener,
  http2Connector,
  quicDatagrams,
  quicInitials,
  quicStreams,
  quicConnector,
  quicTampered,
]
