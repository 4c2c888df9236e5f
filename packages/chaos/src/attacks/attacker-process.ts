import { ATTACKS, type Target } from './attacks.ts'

/** What the process of an attacker is told. */
export interface AttackerSettings extends Target {
  /** Which attack, by its place in the list. */
  readonly attack: number
}

const { attack, ...target } = JSON.parse(process.argv[2] as string) as AttackerSettings
process.on('disconnect', () => process.exit())
process.send?.('begun')
while (process.connected) await ATTACKS[attack]?.round(target)
