import { documentedConfig } from './documented-config.ts'
import type { ProxyKind } from './proxy-kind.ts'

/** nginx, by the config of docs/proxies.md. */
export const nginx: ProxyKind = {
  name: 'nginx',
  command: 'nginx',
  versionFlag: '-v',
  sharesUploads: false,
  stallsWhenServersDie: true,
  prepare: ({ clear, tls, servers: [a, b], certificates: { server } }) => ({
    command: 'nginx',
    port: clear,
    args: (directory) => ['-p', directory, '-e', `${directory}/error.log`, '-c', `${directory}/nginx.conf`],
    files: (directory) => ({
      'site.pem': server.cert,
      'site.key': server.key,
      'nginx.conf': `daemon off; pid ${directory}/nginx.pid;\n${documentedConfig('## nginx', {
        'worker_processes auto': 'worker_processes 1',
        'listen 8080': `listen 127.0.0.1:${clear}`,
        'listen 8443': `listen 127.0.0.1:${tls}`,
        '10.0.0.1:8080': `127.0.0.1:${a}`,
        '10.0.0.2:8080': `127.0.0.1:${b}`,
        '/etc/nginx/site': `${directory}/site`,
      })}`,
    }),
  }),
}
