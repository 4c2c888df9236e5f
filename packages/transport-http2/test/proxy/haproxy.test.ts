import { describeProxy } from './describe-proxy.ts'
import { haproxy } from './haproxy.ts'

describeProxy(haproxy)
