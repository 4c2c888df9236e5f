export { Health, type HealthContract, type HealthReply, type HealthRequest, type ServingStatus } from './contract.ts'
export { ServerHealth } from './server-health.ts'
