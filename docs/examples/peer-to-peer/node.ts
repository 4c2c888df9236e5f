import { type Client, createClient, type Handlers, type Interceptor, RpcError, type Server, serve } from '@qrpc/core'
import { connectQuic, listenQuic, QuicEndpoint, type QuicListener } from '@qrpc/transport-quic'
import { type Entry, Gossip } from './contract.ts'
import { Entries } from './entries.ts'
import { fingerprintOf, type Identity, NODE } from './identity.ts'

// So that what waits for a peer that is away does not pile up.
const RUMOUR_TIMEOUT_MS = 5000

/** What one must know of a node to call it, and to be called by it. */
export interface Contact {
  readonly address: string
  readonly cert: string
}

/** A node: it listens and connects on one UDP socket, and talks to nobody but the nodes that it has been told of. */
export class GossipNode implements AsyncDisposable {
  readonly entries = new Entries()
  readonly contact: Contact
  readonly fingerprint: string
  readonly #identity: Identity
  readonly #endpoint: QuicEndpoint
  readonly #listener: QuicListener
  readonly #server: Server
  readonly #peers = new Map<
    string,
    { readonly cert: string; readonly client: Client<typeof Gossip> & AsyncDisposable }
  >()

  private constructor(identity: Identity, endpoint: QuicEndpoint, listener: QuicListener) {
    this.#identity = identity
    this.#endpoint = endpoint
    this.#listener = listener
    this.#server = serve(Gossip, this.#handlers(), listener, { interceptors: [this.#known] })
    this.fingerprint = fingerprintOf(identity.cert)
    this.contact = { address: `quic://${endpoint.host}:${endpoint.port}`, cert: identity.cert }
  }

  static async start(identity: Identity): Promise<GossipNode> {
    const endpoint = await QuicEndpoint.bind()
    const listener = await listenQuic({ endpoint, tls: { ...identity, ca: identity.cert, requestCert: true } })
    return new GossipNode(identity, endpoint, listener)
  }

  /** From now on the node may call, and is told what is new. */
  addPeer({ address, cert }: Contact): void {
    const fingerprint = fingerprintOf(cert)
    if (this.#peers.has(fingerprint)) return
    // No certificate but this one will do, whoever answers at the address.
    const tls = { ...this.#identity, ca: cert, serverName: NODE }
    const client = createClient(Gossip, connectQuic(address, { endpoint: this.#endpoint, tls }))
    this.#peers.set(fingerprint, { cert, client })
    this.#trustPeers()
  }

  /** From now on the node may do nothing, not even over a connection that is there. */
  async removePeer(fingerprint: string): Promise<void> {
    const peer = this.#peers.get(fingerprint)
    this.#peers.delete(fingerprint)
    this.#trustPeers()
    await peer?.client[Symbol.asyncDispose]()
  }

  /** @throws RpcError `not_found` when it has not been told of that node. */
  peer(fingerprint: string): Client<typeof Gossip> {
    const peer = this.#peers.get(fingerprint)
    if (peer === undefined) throw new RpcError('not_found', `there is no peer ${fingerprint}`)
    return peer.client
  }

  /** Sets a value, and has it go from node to node. */
  set(key: string, value: string): void {
    this.#tell(this.entries.write(key, value, this.fingerprint))
  }

  /** Asks each peer for what was missed; as often as it should find out, as a rule by a timer. */
  async catchUp(): Promise<void> {
    const asked = [...this.#peers.values()].map(async ({ client }) => {
      for await (const entry of client.pull(this.entries.stamps())) this.entries.learn(entry)
    })
    await Promise.allSettled(asked)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#peers.values()].map(({ client }) => client[Symbol.asyncDispose]()))
    await this.#server.close()
    await this.#endpoint.close()
  }

  #trustPeers(): void {
    const certs = [...this.#peers.values()].map(({ cert }) => cert)
    const ca = [this.#identity.cert, ...certs].join('\n')
    this.#listener.setSecureContext({ ...this.#identity, ca, requestCert: true })
  }

  #tell(entry: Entry, except?: string): void {
    for (const [fingerprint, { client }] of this.#peers) {
      // Who is away catches up later.
      if (fingerprint !== except) client.rumour(entry, { timeout: RUMOUR_TIMEOUT_MS }).catch(() => {})
    }
  }

  // The handshake lets none but peers in; those that were removed since are found here.
  #known: Interceptor = (call, next) => {
    if (!this.#peers.has(callerOf(call))) throw new RpcError('permission_denied', 'you are no peer of this node')
    return next(call)
  }

  #handlers(): Handlers<typeof Gossip> {
    return {
      rumour: (entry, context) => {
        if (this.entries.learn(entry)) this.#tell(entry, callerOf(context))
      },
      pull: (stamps) => this.entries.laterThan(stamps),
      whoAmI: (_, context) => ({ fingerprint: callerOf(context), address: `quic://${context.peer.address}` }),
    }
  }
}

/** The fingerprint of the caller's certificate, which the handshake has verified. */
function callerOf({ peer }: Pick<Parameters<Interceptor>[0], 'peer'>): string {
  const certificate = peer?.certificate
  if (certificate === undefined) throw new RpcError('unauthenticated', 'a certificate is needed')
  return fingerprintOf(certificate)
}
