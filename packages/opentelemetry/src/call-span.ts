import {
  type Attributes,
  type Context,
  context,
  type Histogram,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { ATTR_ERROR_TYPE, ATTR_RPC_STATUS_CODE } from '@opentelemetry/semantic-conventions'
import type { CallObserver, Code, InterceptedCall, RpcError } from '@qrpc/core'

/** What the calls of an interceptor are measured with. */
export interface Instruments {
  readonly kind: SpanKind.CLIENT | SpanKind.SERVER
  readonly tracer: Tracer
  readonly duration: Histogram
}

// What is the server's own fault. All else is an answer that the client has to deal with, as the conventions for gRPC say.
const SERVER_ERRORS: ReadonlySet<Code> = new Set<Code>([
  'unknown',
  'deadline_exceeded',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
])

/** The span of one call, and its share in the histogram. */
export class CallSpan implements CallObserver {
  /** The context that the call goes on in. */
  readonly context: Context
  readonly #instruments: Instruments
  readonly #span: Span
  readonly #start = performance.now()
  #measured: Attributes

  /**
   * @param measured Attributes of the span and of the histogram: few values each.
   * @param more Attributes of the span alone.
   */
  constructor(
    call: InterceptedCall,
    instruments: Instruments,
    parent: Context,
    measured: Attributes,
    more: Attributes,
  ) {
    const { kind, tracer } = instruments
    this.#instruments = instruments
    this.#measured = measured
    this.#span = tracer.startSpan(call.method, { kind, attributes: { ...measured, ...more } }, parent)
    this.context = trace.setSpan(parent, this.#span)
  }

  /** Adds to the attributes of the span and of the histogram. */
  protected measure(attributes: Attributes): void {
    this.#span.setAttributes(attributes)
    this.#measured = { ...this.#measured, ...attributes }
  }

  within<R>(step: () => R): R {
    return context.with(this.context, step)
  }

  onEnd(error: RpcError | undefined): void {
    const outcome: Attributes = { [ATTR_RPC_STATUS_CODE]: error?.code ?? 'ok' }
    const { kind, duration } = this.#instruments
    if (error !== undefined && (kind === SpanKind.CLIENT || SERVER_ERRORS.has(error.code))) {
      outcome[ATTR_ERROR_TYPE] = error.code
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
      this.#span.recordException(thrown(error))
    }
    this.measure(outcome)
    duration.record((performance.now() - this.#start) / 1_000, this.#measured, this.context)
    this.#span.end()
  }
}

/** What a handler threw that is no `RpcError` tells more than the error that was made of it. */
function thrown(error: RpcError): Error {
  return error.code === 'internal' && error.cause instanceof Error ? error.cause : error
}
