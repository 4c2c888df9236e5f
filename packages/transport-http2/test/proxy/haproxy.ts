import { documentedConfig } from './documented-config.ts'
import type { ProxyKind } from './proxy-kind.ts'

/** HAProxy, by the config of docs/proxies.md. */
export const haproxy: ProxyKind = {
  name: 'HAProxy',
  command: 'haproxy',
  versionFlag: '-v',
  sharesUploads: true,
  stallsWhenServersDie: false,
  prepare: ({ clear, tls, servers: [a, b], certificates: { server } }) => ({
    command: 'haproxy',
    port: clear,
    args: (directory) => ['-db', '-f', `${directory}/haproxy.cfg`],
    files: (directory) => ({
      'site.pem': `${server.cert}\n${server.key}`,
      'haproxy.cfg': documentedConfig('## HAProxy', {
        ':8080 proto': `127.0.0.1:${clear} proto`,
        ':8443': `127.0.0.1:${tls}`,
        '10.0.0.1:8080': `127.0.0.1:${a}`,
        '10.0.0.2:8080': `127.0.0.1:${b}`,
        '/etc/haproxy/site.pem': `${directory}/site.pem`,
        '/run/haproxy/admin.sock': `${directory}/admin.sock`,
        'inter 1s': 'inter 200ms',
      }),
    }),
  }),
}
