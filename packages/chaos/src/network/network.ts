/** From the client to the server, or back. */
export type Direction = 'up' | 'down'

/** What a network does to what passes. Times in ms. */
export interface Weather {
  /** How long everything takes, each way. */
  readonly delayMs: number
  /** How much longer some of it takes. Datagrams overtake each other by it. */
  readonly jitterMs: number
  /** The share that is lost on the way. A stream gets it after all, but {@link RETRANSMISSION_MS} later. */
  readonly loss: number
  /** The share of datagrams that arrives twice. */
  readonly duplicates: number
  /** The share of datagrams of which a bit is flipped. TCP would not let such bytes pass. */
  readonly corrupted: number
  /** Where nothing gets through. What was sent on a stream meanwhile arrives afterwards. */
  readonly blackhole: Direction | 'both' | undefined
}

export const FAIR: Weather = { delayMs: 0, jitterMs: 0, loss: 0, duplicates: 0, corrupted: 0, blackhole: undefined }

/** After how long what was lost is sent again. */
export const RETRANSMISSION_MS = 30

/** Whether nothing gets through that way. */
export function swallows({ blackhole }: Weather, direction: Direction): boolean {
  return blackhole === 'both' || blackhole === direction
}

/**
 * How a connection ends: with a RST, with a FIN, or with silence, as if the other machine were gone. Datagrams know
 * silence alone.
 */
export type Manner = 'reset' | 'end' | 'silence'

/** A network between the clients of a server and the server. */
export interface Network extends AsyncDisposable {
  /** Where clients find the server. */
  readonly address: string
  weather: Weather
  /** Bytes that have passed, of all time. */
  readonly passed: Readonly<Record<Direction, number>>
  /** Cuts off the connections that there are. New ones get through. */
  cut(manner: Manner): void
  /** Lets so many further bytes pass that way, then does as {@link cut}. A cut that was waited for before is called off. */
  cutAfter(direction: Direction, bytes: number, manner: Manner): void
  /** Has the clients' packets come from other addresses from now on; a no-op for streams. */
  moveClients(): void
}
