export type {
  Channel,
  ChannelObserver,
  CloseOptions,
  ConnectionState,
  ConnectionStateObserver,
  Connector,
  Listener,
  OpenOptions,
  Peer,
  StatefulConnector,
} from './channel/channel.ts'
export {
  type ChannelPairOptions,
  type ChannelPairOwner,
  type ChannelPairSettings,
  createChannelPair,
  DEFAULT_WINDOW,
  MemoryChannel,
  openPair,
} from './channel/memory-channel.ts'
export { addObserver, tellClosed } from './channel/observers.ts'
export { PendingChannel } from './channel/pending-channel.ts'
export { Queue } from './channel/queue.ts'
export { ReceiveHalf } from './channel/receive-half.ts'
export type { CallOptions } from './client/call-options.ts'
export type {
  BidiStreamingCall,
  Call,
  ClientStreamingCall,
  ServerStreamingCall,
  Updates,
} from './client/calls.ts'
export type {
  BidiStreamingFunction,
  Client,
  ClientStreamingFunction,
  NotifyFunction,
  ServerStreamingFunction,
  UnaryFunction,
  UpdateSource,
} from './client/client-types.ts'
export { type ClientOptions, createClient } from './client/create-client.ts'
export { CODES, type Code, isCode } from './code.ts'
export { type ContextKey, ContextValues, createContextKey } from './context-values.ts'
export type { DeclaredError, DeclaredErrors, ErrorData, ErrorOf } from './contract/declared-error.ts'
export {
  bidiStreaming,
  clientStreaming,
  Method,
  type MethodSchemas,
  type MethodTypes,
  notify,
  type Pattern,
  type PlainTypes,
  type SchemaTypes,
  serverStreaming,
  unary,
} from './contract/method.ts'
export { type AnyService, type ReservedName, type Service, type ServiceMembers, service } from './contract/service.ts'
export { errorForPeer, RpcError, type RpcErrorOptions } from './error.ts'
export type {
  InterceptedCall,
  InterceptedNext,
  InterceptedResult,
  Interceptor,
} from './interceptor/interceptor.ts'
export { type CallObserver, observeCalls } from './interceptor/observe-calls.ts'
export { type RetriedAttempt, type RetryOptions, retry } from './interceptor/retry.ts'
export type { RetryBudgetOptions } from './interceptor/retry-budget.ts'
export { Metadata, type MetadataEntries, type MetadataInit, type MetadataValue } from './metadata.ts'
export { isRequest, PlainRequest, type Request, readRequest } from './request.ts'
export { type Schema, type, type ValidationIssues } from './schema.ts'
export type { Context } from './server/context.ts'
export type { Handler, Handlers, Responses } from './server/handlers.ts'
export type { ErrorSource, ReportError } from './server/report.ts'
export { createRouter, type Router, type ServeOptions } from './server/router.ts'
export { type Server, serve } from './server/serve.ts'
export type { UpdateStream } from './server/update-stream.ts'
