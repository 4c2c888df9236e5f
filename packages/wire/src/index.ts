export { type CborCodec, createCborCodec } from './cbor/cbor-codec.ts'
export type { CborLimits } from './cbor/limits.ts'
export { ByteChannel, type ByteChannelOwner } from './channel/byte-channel.ts'
export type { ByteStream, ByteStreamReader } from './channel/byte-stream.ts'
export type { Codec } from './codec.ts'
export { type AcceptedChannel, AcceptQueue } from './connection/accept-queue.ts'
export type { BackoffOptions } from './connection/backoff.ts'
export {
  ChannelTable,
  type ChannelTableObserver,
  type ChannelTableSettings,
  DEFAULT_MAX_CONNECTION_BUFFER,
  DEFAULT_MAX_LISTENER_BUFFER,
} from './connection/channel-table.ts'
export {
  type Connection,
  type ConnectionObserver,
  type Dial,
  DialingConnector,
  type NetworkConnector,
} from './connection/dialing-connector.ts'
export { OpenQueue } from './connection/open-queue.ts'
export type { ControlItem } from './control/control-item.ts'
export { DEFAULT_MAX_HEADER_SIZE } from './control/request-header.ts'
export { BufferBudget } from './counters/buffer-budget.ts'
export {
  CONNECTION_CLOSE,
  CONNECTION_OPEN,
  type ConnectionClosed,
  type ConnectionOpened,
  LIMIT_HIT,
  type LimitHit,
  type Side,
} from './counters/connection-events.ts'
export { LimitError, type LimitName } from './counters/limit-error.ts'
export { ResetBudget } from './counters/reset-budget.ts'
export { Counters, type TransportCounters } from './counters/transport-counters.ts'
export { DEFAULT_MAX_MESSAGE_SIZE, type Frame, type FrameLimits } from './frame/frame.ts'
export { COPY_LIMIT, FrameBatch } from './frame/frame-batch.ts'
export { FrameReader } from './frame/frame-reader.ts'
export { decodeVarint, encodeVarint, MAX_VARINT } from './frame/varint.ts'
export { ClientLane, type ClientLaneObserver } from './lane/client-lane.ts'
export { WireFormat, type WireOptions } from './wire-format.ts'
