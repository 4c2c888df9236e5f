/** Releases of Node.js that tests and what is installed run on, beside the oldest that is supported. */
export const NODE_RELEASES = ['22.23.3', '24.21.0', '26.10.0']

/** A command that runs `node` of a release, which npm fetches where it is not there yet. */
export const nodeOf = (release) => ['npx', '--yes', '--prefer-offline', `--package=node@${release}`, '--', 'node']
