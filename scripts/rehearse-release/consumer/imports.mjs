import * as combined from '@qrpc/combined'
import * as core from '@qrpc/core'
import * as diagnostics from '@qrpc/diagnostics'
import * as health from '@qrpc/health'
import * as opentelemetry from '@qrpc/opentelemetry'
import * as http2 from '@qrpc/transport-http2'
import * as mem from '@qrpc/transport-mem'
import * as quic from '@qrpc/transport-quic'
import * as wire from '@qrpc/wire'
import { callOverAll } from './calls.mjs'

await callOverAll({ core, mem, http2, quic, combined, wire, diagnostics, health, opentelemetry })
