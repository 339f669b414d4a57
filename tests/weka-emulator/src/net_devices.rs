//! Network devices of containers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::call::Call;
use crate::containers::Backend;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::state::State;
use crate::uid::Uid;

/// A network device that a container uses.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Device {
    serial: u64,
    uid: Uid,
    name: String,
    device: String,
    addresses: Vec<String>,
    netmask_bits: u64,
    gateway: String,
}

impl Device {
    /// The device that a container has from the beginning.
    pub(crate) fn first(host: u64, address: &str) -> Self {
        Self {
            serial: host,
            uid: Uid::fresh(),
            name: "eth0".to_owned(),
            device: "eth0".to_owned(),
            addresses: vec![address.to_owned()],
            netmask_bits: 24,
            gateway: "10.1.0.1".to_owned(),
        }
    }

    /// What the system calls it.
    pub(crate) fn device(&self) -> &str {
        &self.device
    }

    fn row(&self, backend: &Backend) -> Value {
        json!({
            "id": format!("NetDevId<{}>", self.serial),
            "uid": self.uid,
            "id_type": "NAME",
            "identifier": self.device,
            "name": self.name,
            "hostname": backend.hostname(),
            "container_id": format!("HostId<{}>", backend.host),
            "owner_processes": [],
            "ips": self.addresses,
            "netmask_bits": self.netmask_bits,
            "gateway": self.gateway,
            "network_label": "",
            "vlan_id": "",
            "max_cores": 1,
            "net_devices": [{
                "interface_name": self.device, "interface_alias": "", "mac_address": "02:00:00:00:00:00",
                "device": "", "vendor": "", "driver": "", "pci_slot": "", "mtu": 1500, "numa": -1,
                "is_virtual": false, "max_vfs_num": 0, "slave_devices": [],
            }],
        })
    }
}

/// `GET /containers/netdevs`
pub(crate) fn all_devices(state: &mut State, _call: &Call) -> Answer {
    let rows = |backend: &Backend| backend.devices.iter().map(|device| device.row(backend)).collect::<Vec<_>>();
    data(state.machines.backends.iter().flat_map(rows).collect())
}

/// `GET /containers/{uid}/netdevs`
pub(crate) fn devices(state: &mut State, call: &Call) -> Answer {
    let backend = state.backend(call.place("uid"))?;
    data(backend.devices.iter().map(|device| device.row(backend)).collect())
}

/// `POST /containers/{uid}/netdevs`
pub(crate) fn add_device(state: &mut State, call: &Call) -> Answer {
    state.backend(call.place("uid"))?;
    let name = call.required_text("device")?;
    let device = Device {
        serial: state.serial("device").saturating_add(1000),
        uid: Uid::fresh(),
        name: call.text("name").unwrap_or_else(|| name.clone()),
        device: name,
        addresses: call.texts("ips")?.unwrap_or_default(),
        netmask_bits: call.number("netmask")?.unwrap_or(24),
        gateway: call.text("gateway").unwrap_or_default(),
    };
    state.backend_mut(call.place("uid"))?.devices.push(device);
    nothing()
}

/// `DELETE /containers/{uid}/netdevs/{netdev_uid}`
pub(crate) fn remove_device(state: &mut State, call: &Call) -> Answer {
    let wanted = call.place("netdev_uid").to_owned();
    let backend = state.backend_mut(call.place("uid"))?;
    let before = backend.devices.len();
    backend.devices.retain(|device| device.uid.to_string() != wanted);
    if backend.devices.len() == before { Err(Refusal::no_uid(&wanted)) } else { nothing() }
}
