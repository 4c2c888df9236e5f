import type { Member } from '../member.ts'
import type { Policy } from '../policy.ts'

/** The first member, always: the first connector that is configured. */
export function first(): Policy {
  return (members) => {
    const { connector } = members[0] as Member
    return (options) => connector.open(options)
  }
}
