import { once } from 'node:events'
import { connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { makeCertificate } from '../demo/certificate.ts'
import { Visits } from './contract.ts'
import { startSite } from './site.ts'

const certificate = await makeCertificate()
const site = await startSite({ tls: certificate })
console.log('pages and calls at', site.address)

const browser = connect(site.address, { ca: certificate.cert })
console.log('page:', await text(browser.request({ ':path': '/visits/ada' })))

const client = createClient(Visits, connectHttp2(site.address, { tls: { ca: certificate.cert } }))
console.log('call:', await client.visitedAll(undefined, ['ada', 'bob', 'ada']), 'visits')
console.log('page:', await text(browser.request({ ':path': '/visits/ada' })))

await client[Symbol.asyncDispose]()
const gone = once(browser, 'close')
await site.close()
await gone
