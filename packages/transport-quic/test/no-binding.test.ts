import { createClient } from '@qrpc/core'
import { connectQuic, listenQuic, QuicEndpoint } from '@qrpc/transport-quic'
import { expect, test, vi } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { makeCertificates } from './certificates.ts'
import { Echo } from './service.ts'

vi.mock('@matrixai/quic/native/index.js', () => {
  throw new Error('Failed requiring possible native bindings')
})

// Importing the package has not failed, or there would be no test here.
test('where there is no native binding, the first call, listenQuic and bind say so', async () => {
  const { server } = await makeCertificates()
  await using connector = connectQuic('quic://127.0.0.1:1')
  const error = await expectStatus(createClient(Echo, connector).echo(1), 'unimplemented', process.platform)
  expect(error.cause).toBeInstanceOf(Error)
  await expectStatus(listenQuic({ tls: server }), 'unimplemented', process.arch)
  await expectStatus(QuicEndpoint.bind(), 'unimplemented', '@matrixai/quic')
})
