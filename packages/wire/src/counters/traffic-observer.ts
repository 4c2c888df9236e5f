/** Whom the channels and lanes of a connection tell of what they carry. */
export interface TrafficObserver {
  /** Bytes have arrived. */
  onReceived(bytes: number): void
  /** Bytes were handed to the stream. */
  onSent(bytes: number): void
  /** So many bytes more are kept for the peer, or its readers here; fewer where it is below zero. */
  onKept(more: number): void
  /** What the peer has sent was refused. */
  onRefused(error: unknown): void
}
