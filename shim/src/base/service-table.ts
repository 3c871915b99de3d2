/** The services of a server, looked up by the names that a call carries. */
import type { StreamingMethod, UnaryMethod } from '../../../specs/containerd/service.ts';
import type { ErasedHandler, Service } from './service.ts';
import { StatusCode, StatusError } from './status.ts';

export interface Served {
  readonly method: UnaryMethod | StreamingMethod;
  readonly handler: ErasedHandler;
}

export class ServiceTable {
  readonly services: readonly Service[];
  readonly #byName: ReadonlyMap<string, Service>;

  constructor(services: readonly Service[]) {
    this.services = services;
    this.#byName = new Map(services.map((service) => [service.description.name, service]));
  }

  /** Throws `unimplemented`, from which containerd concludes that it must speak an older version of the service. */
  find(serviceName: string, methodName: string): Served {
    const service = this.#byName.get(serviceName);
    if (service === undefined) {
      throw new StatusError(StatusCode.unimplemented, `service ${serviceName}`);
    }
    const handler = service.handler(methodName);
    const method = handler === undefined ? undefined : service.description.methods[methodName];
    if (handler === undefined || method === undefined) {
      throw new StatusError(StatusCode.unimplemented, `method ${methodName} of service ${serviceName}`);
    }
    return { method, handler };
  }
}
