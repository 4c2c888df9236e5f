/** A server that is taken away and brought back. */
export interface ServerNode extends AsyncDisposable {
  readonly address: string
  /** Lets calls go on for a while, in ms, then closes. */
  stop(graceMs: number): Promise<void>
  /** As it goes when nobody is asked. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Has the ledger know all that the server has done. */
  catchUp(): void
}
