import { expect, it } from 'vitest'
import { clientAttributes, serverAttributes } from '../src/peer-attributes.ts'

it.each([
  [
    'http2',
    'http://127.0.0.1:8080',
    { 'server.address': '127.0.0.1', 'server.port': 8080, 'network.transport': 'tcp' },
  ],
  ['http2', 'https://api.example.com', { 'server.address': 'api.example.com', 'network.transport': 'tcp' }],
  ['http2', 'https://[::1]:443', { 'server.address': '::1', 'server.port': 443, 'network.transport': 'tcp' }],
  ['http2', 'unix:/run/app.sock', { 'server.address': '/run/app.sock', 'network.transport': 'unix' }],
  ['quic', 'quic://host:4433', { 'server.address': 'host', 'server.port': 4433, 'network.transport': 'quic' }],
  ['mem', 'mem:', { 'server.address': 'mem:' }],
  ['other', 'carrier pigeon', { 'server.address': 'carrier pigeon' }],
])('where a server is: %s %s', (transport, address, attributes) => {
  expect(serverAttributes({ transport, address })).toEqual(attributes)
})

it.each([
  ['http2', '10.0.0.1:50000', { 'client.address': '10.0.0.1', 'client.port': 50000, 'network.transport': 'tcp' }],
  ['quic', '[fe80::1]:50000', { 'client.address': 'fe80::1', 'client.port': 50000, 'network.transport': 'quic' }],
])('where a client is: %s %s', (transport, address, attributes) => {
  expect(clientAttributes({ transport, address })).toEqual(attributes)
})
