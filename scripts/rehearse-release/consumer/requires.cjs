const { callOverAll } = require('./calls.mjs')

callOverAll({
  core: require('@qrpc/core'),
  mem: require('@qrpc/transport-mem'),
  http2: require('@qrpc/transport-http2'),
  quic: require('@qrpc/transport-quic'),
  combined: require('@qrpc/combined'),
  wire: require('@qrpc/wire'),
  diagnostics: require('@qrpc/diagnostics'),
  health: require('@qrpc/health'),
  opentelemetry: require('@qrpc/opentelemetry'),
}).catch((error) => {
  console.error(error)
  process.exitCode = 1
})
