import type { Attributes } from '@opentelemetry/api'
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_CLIENT_PORT,
  ATTR_NETWORK_TRANSPORT,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  NETWORK_TRANSPORT_VALUE_QUIC,
  NETWORK_TRANSPORT_VALUE_TCP,
  NETWORK_TRANSPORT_VALUE_UNIX,
} from '@opentelemetry/semantic-conventions'
import type { Peer } from '@qrpc/core'

const UNIX = 'unix:'
// `https://host:port`, `host:port`, `[::1]:port`, with or without a port.
const HOST_AND_PORT = /^(?:[a-z0-9+.-]+:\/\/)?(?:\[([^\]]+)\]|([^:/]+))(?::(\d+))?\/?$/i

/** Where the server is, as the client knows it. */
export function serverAttributes(peer: Peer): Attributes {
  return located(peer, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT)
}

/** Where the client is, as the server knows it. */
export function clientAttributes(peer: Peer): Attributes {
  return located(peer, ATTR_CLIENT_ADDRESS, ATTR_CLIENT_PORT)
}

function located({ transport, address }: Peer, addressKey: string, portKey: string): Attributes {
  const attributes: Attributes = {}
  const unix = address.startsWith(UNIX)
  if (unix) attributes[ATTR_NETWORK_TRANSPORT] = NETWORK_TRANSPORT_VALUE_UNIX
  else if (transport === 'http2') attributes[ATTR_NETWORK_TRANSPORT] = NETWORK_TRANSPORT_VALUE_TCP
  else if (transport === 'quic') attributes[ATTR_NETWORK_TRANSPORT] = NETWORK_TRANSPORT_VALUE_QUIC
  const [, ipv6, host = ipv6, port] = HOST_AND_PORT.exec(address) ?? []
  attributes[addressKey] = unix ? address.slice(UNIX.length) : (host ?? address)
  if (port !== undefined && !unix) attributes[portKey] = Number(port)
  return attributes
}
