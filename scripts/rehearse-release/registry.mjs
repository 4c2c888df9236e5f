import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

/**
 * A registry with nothing but what is put into it, on this machine: packages install from it as they will once they are
 * published, with the same commands.
 */
export class Registry {
  #server = createServer((request, response) => this.#answer(request, response))
  #documents = new Map()
  #tarballs = new Map()

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`
  }

  async listen() {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening')
  }

  close() {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  add({ tarball, manifest }) {
    const { name, version } = manifest
    const bytes = readFileSync(tarball)
    const path = `/${name}/-/${version}.tgz`
    const digest = (algorithm, encoding) => createHash(algorithm).update(bytes).digest(encoding)
    const dist = {
      tarball: new URL(path, this.url).href,
      integrity: `sha512-${digest('sha512', 'base64')}`,
      shasum: digest('sha1', 'hex'),
    }
    this.#tarballs.set(path, bytes)
    this.#documents.set(`/${name}`, {
      name,
      'dist-tags': { latest: version },
      versions: { [version]: { ...manifest, _id: `${name}@${version}`, dist } },
    })
  }

  #answer(request, response) {
    const path = decodeURIComponent(new URL(request.url, this.url).pathname)
    const tarball = this.#tarballs.get(path)
    if (request.method === 'GET' && tarball !== undefined) {
      response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball)
      return
    }
    const document = request.method === 'GET' ? this.#documents.get(path) : undefined
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(document ?? { error: 'Not found' }))
  }
}
