import {
  type Attributes,
  context,
  type MeterProvider,
  metrics,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  type TextMapPropagator,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import {
  ATTR_RPC_METHOD,
  ATTR_RPC_SYSTEM_NAME,
  METRIC_RPC_CLIENT_CALL_DURATION,
  METRIC_RPC_SERVER_CALL_DURATION,
} from '@opentelemetry/semantic-conventions'
import { type InterceptedCall, type Interceptor, observeCalls, type Peer } from '@qrpc/core'
import { CallSpan, type Instruments } from './call-span.ts'
import { metadataGetter, metadataSetter } from './metadata-carrier.ts'
import { clientAttributes, serverAttributes } from './peer-attributes.ts'

/** What traces and metrics are made with. */
export interface TelemetryOptions {
  /** Makes the spans. Default: the global one, as it is with the first call. */
  readonly tracerProvider?: TracerProvider
  /** Makes the histogram. Default: the global one, as it is with the first call. */
  readonly meterProvider?: MeterProvider
  /** Carries the context of a trace in the metadata. Default: the global one, which is W3C trace context and baggage as SDKs set it. */
  readonly propagator?: Pick<TextMapPropagator, 'inject' | 'extract'>
  /** More attributes for the span of a call. Default: none. */
  readonly attributes?: (call: InterceptedCall) => Attributes
}

const NAME = '@qrpc/opentelemetry'
// Those that the semantic conventions advise, in seconds.
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

/**
 * A client's interceptor: a span of kind CLIENT a call, whose context travels in the call's metadata, and the histogram
 * `rpc.client.call.duration`. They end with the call, those of a stream with its last response.
 *
 * @example `createClient(Compute, connector, { interceptors: [clientTelemetry(), retry()] })`
 */
export function clientTelemetry(options: TelemetryOptions = {}): Interceptor {
  const { propagator = propagation } = options
  const made = instruments(options, SpanKind.CLIENT)
  return observeCalls((call) => {
    const span = new ClientSpan(call, made(), context.active(), measured(call), options.attributes?.(call) ?? {})
    propagator.inject(span.context, call.metadata, metadataSetter)
    return span
  })
}

/**
 * A server's interceptor: a span of kind SERVER a call, the child of the client's, which is active in the handler; and the
 * histogram `rpc.server.call.duration`. They end with the call, those of a stream with its last response.
 *
 * @example `serve(Compute, handlers, listener, { interceptors: [serverTelemetry()] })`
 */
export function serverTelemetry(options: TelemetryOptions = {}): Interceptor {
  const { propagator = propagation } = options
  const made = instruments(options, SpanKind.SERVER)
  return observeCalls((call) => {
    // What came with the call is all that counts, also where the client is in this process and its context around.
    const parent = propagator.extract(ROOT_CONTEXT, call.metadata, metadataGetter)
    const client = call.peer === undefined ? {} : clientAttributes(call.peer)
    return new CallSpan(call, made(), parent, measured(call), { ...client, ...options.attributes?.(call) })
  })
}

/** The span of a client's call, which learns where the server is once there is a connection. */
class ClientSpan extends CallSpan {
  onPeer(peer: Peer): void {
    this.measure(serverAttributes(peer))
  }
}

function measured({ method }: InterceptedCall): Attributes {
  return { [ATTR_RPC_SYSTEM_NAME]: 'qrpc', [ATTR_RPC_METHOD]: method }
}

/** Made with the first call: an app may set its SDK up after its clients. */
function instruments(options: TelemetryOptions, kind: Instruments['kind']): () => Instruments {
  let made: Instruments | undefined
  return () => {
    made ??= {
      kind,
      tracer: (options.tracerProvider ?? trace).getTracer(NAME),
      duration: histogram(options.meterProvider ?? metrics, kind),
    }
    return made
  }
}

function histogram(provider: Pick<MeterProvider, 'getMeter'>, kind: Instruments['kind']): Instruments['duration'] {
  const client = kind === SpanKind.CLIENT
  return provider
    .getMeter(NAME)
    .createHistogram(client ? METRIC_RPC_CLIENT_CALL_DURATION : METRIC_RPC_SERVER_CALL_DURATION, {
      unit: 's',
      description: `Measures the duration of an ${client ? 'outgoing' : 'incoming'} Remote Procedure Call (RPC).`,
      advice: { explicitBucketBoundaries: BOUNDARIES },
    })
}
