import type { Channel, CloseOptions, Connector, OpenOptions, Peer } from '../channel/channel.ts'
import { DEFAULT_WINDOW, openPair } from '../channel/memory-channel.ts'
import type { CallOptions } from '../client/call-options.ts'
import { CallScope } from '../client/call-scope.ts'
import { ServerStream } from '../client/calls.ts'
import { sendUpdates } from '../client/update-sender.ts'
import { ContextValues } from '../context-values.ts'
import { streamsUpdates } from '../contract/method.ts'
import { RpcError } from '../error.ts'
import { ItemSource } from '../iterator.ts'
import { Metadata } from '../metadata.ts'
import { readRequest } from '../request.ts'
import type { InterceptedCall, InterceptedNext } from './interceptor.ts'
import { CALL_OVER, LazySignal } from './lazy-signal.ts'
import { lazySignalOf, OriginalCall } from './original-call.ts'
import { takenOnce } from './taken-once.ts'

/** The end of a client's way through its interceptors: the call itself. */
export function callOver(connector: Connector): InterceptedNext {
  return async (call) => {
    const { method, pattern, idempotent, metadata, deadline, onPeer, request, updates } = call
    const lazy = lazySignalOf(call)
    const signal = lazy === undefined ? call.signal : undefined
    const scope = new CallScope(
      { path: method, pattern, schemas: { idempotent } },
      { signal, deadline, metadata, onPeer },
    )
    if (lazy !== undefined) scope.follow(lazy)
    const channel = scope.open(connector, request, updates === undefined)
    if (pattern === 'notify') {
      await scope.handedOver()
      return { response: undefined }
    }
    if (pattern === 'unary') return { response: await channel.receiveOnly() }
    if (updates !== undefined) void sendUpdates(scope, channel, updates)
    if (pattern === 'clientStreaming') return { response: await channel.receiveOnly() }
    await channel.started()
    return { responses: new ServerStream(scope, channel) }
  }
}

/** A call of one message each way, through the interceptors; it settles in time even where they do not. */
export function interceptedSingle(scope: CallScope, through: InterceptedNext, request: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    if (scope.error !== undefined) {
      reject(scope.error)
      return
    }
    scope.onOver(() => scope.error !== undefined && reject(scope.error))
    const { method, pattern, idempotent, deadline, onPeer } = scope
    const metadata = new Metadata(scope.metadata)
    const values = new ContextValues()
    const call = new OriginalCall(
      { method, pattern, idempotent, metadata, values, deadline, peer: undefined, onPeer, request, updates: undefined },
      scope.cutOff,
    )
    through(call)
      .then((result) => {
        // What an interceptor started and did not wait for ends with the call.
        scope.finish()
        resolve(result.response)
      })
      .catch((error) => {
        scope.finish()
        reject(RpcError.from(error, 'internal'))
      })
  })
}

/** A connector whose channels lead through interceptors before they reach another connector's. */
export class InterceptedConnector implements Connector {
  readonly #connector: Connector
  readonly #through: InterceptedNext

  constructor(connector: Connector, through: InterceptedNext) {
    this.#connector = connector
    this.#through = through
  }

  get address(): string {
    return this.#connector.address
  }

  open(options: OpenOptions & Pick<CallOptions, 'onPeer'> = {}): Channel {
    const peer: Peer = { transport: '', address: this.address }
    const near = openPair({
      window: DEFAULT_WINDOW,
      openedPeer: peer,
      acceptedPeer: peer,
      errorForPeer: same,
      owner: undefined,
    })
    const onPeer = (carrying: Peer): void => {
      near.peer = carrying
      options.onPeer?.(carrying)
    }
    const { pattern = 'bidiStreaming', idempotent } = options
    void carry(near.other, { pattern, idempotent, onPeer }, this.#through)
    return near
  }

  close(options?: CloseOptions): Promise<void> {
    return this.#connector.close(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** Takes one call from the far end of its pair through the interceptors, and what comes back to the caller. */
async function carry(
  far: Channel,
  { pattern, idempotent, onPeer }: Required<Pick<InterceptedCall, 'pattern' | 'idempotent' | 'onPeer'>>,
  through: InterceptedNext,
): Promise<void> {
  const cutOff = new LazySignal()
  far.observe({ onClose: (error) => error !== undefined && cutOff.abort(error) })
  try {
    const { method, metadata, timeout, message: request } = await readRequest(far)
    const call: Omit<InterceptedCall, 'signal'> = {
      method,
      pattern,
      idempotent,
      metadata: new Metadata(metadata),
      values: new ContextValues(),
      deadline: timeout === undefined ? undefined : Date.now() + timeout,
      peer: undefined,
      onPeer,
      request,
      updates: streamsUpdates(pattern) ? takenOnce(far) : undefined,
    }
    const result = await through(new OriginalCall(call, cutOff))
    if (result.responses === undefined) void far.send(result.response, true)
    else await sendResponses(far, result.responses, cutOff)
    far.stop(new RpcError('cancelled', 'the call has been answered'))
  } catch (error) {
    const failure = RpcError.from(error, 'internal')
    far.end(failure)
    far.stop(failure)
  } finally {
    // What an interceptor started and did not hand on ends with the call.
    cutOff.abort(CALL_OVER)
  }
}

/** Sends what the interceptors made of the responses, and closes it when the caller is gone. */
async function sendResponses(far: Channel, responses: AsyncIterable<unknown>, cutOff: LazySignal): Promise<void> {
  const source = new ItemSource(responses)
  cutOff.onAbort(() => source.close())
  for (;;) {
    const result = source.took(await source.next())
    if (result.done === true) break
    const room = far.send(result.value)
    if (room !== undefined) await room
  }
  far.end()
}

function same(error: RpcError): RpcError {
  return error
}
