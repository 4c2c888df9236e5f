import { relayTcp } from './network/tcp-relay.ts'
import { relayUdp } from './network/udp-relay.ts'
import { obey } from './run/obey.ts'
import type { ProxyOrder } from './run/orders.ts'

obey(({ protocol, address, conditions }: ProxyOrder) => {
  const relay = protocol === 'tcp' ? relayTcp : relayUdp
  return relay(address, conditions)
})
