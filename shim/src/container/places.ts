/**
 * Where things lie, beside the image store:
 *
 *     containers/<id>/record.json      what was asked for
 *                     state.json       what has become of it; written by the supervisor alone
 *                     lock             flock: who changes the record
 *                     bundle/          config.json of the last start
 *                     <id>-json.log    with .1, .2 … after rotation
 *                     hosts hostname resolv.conf
 *     names/<name>                     a symbolic link to the id: made exclusively, so that a name belongs to one container
 *     volumes/<name>/_data             and volume.json
 *     networks/<name>.conflist         CNI configurations; addresses and cached results below networks/state
 *     events.log                       what has happened, a line of JSON each
 *     shim.address                     where the shim listens
 */

export interface Places {
  readonly root: string;
  readonly containers: string;
  readonly names: string;
  readonly volumes: string;
  readonly networks: string;
  readonly events: string;
  readonly shimAddress: string;
}

export function placesAt(root: string): Places {
  return {
    root,
    containers: `${root}/containers`,
    names: `${root}/names`,
    volumes: `${root}/volumes`,
    networks: `${root}/networks`,
    events: `${root}/events.log`,
    shimAddress: `${root}/shim.address`,
  };
}

export interface ContainerPlaces {
  readonly directory: string;
  readonly record: string;
  readonly state: string;
  readonly lock: string;
  readonly bundle: string;
  readonly log: string;
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export function containerPlaces(places: Places, id: string): ContainerPlaces {
  const directory = `${places.containers}/${id}`;
  return {
    directory,
    record: `${directory}/record.json`,
    state: `${directory}/state.json`,
    lock: `${directory}/lock`,
    bundle: `${directory}/bundle`,
    log: `${directory}/${id}-json.log`,
    hosts: `${directory}/hosts`,
    hostname: `${directory}/hostname`,
    resolvConf: `${directory}/resolv.conf`,
  };
}

/** The shim's namespace, as containerd has them: containers of tsctl are no others'. */
export const TSCTL_NAMESPACE = 'tsctl';
