/**
 * Everything of the standard's definitions that the wire depends on, as published. Only additions may change this file:
 * new members, new values at the end of an enum, new optional fields at the end of parameters or a response.
 */
export const FROZEN = {
  onOff: {
    id: 1,
    revision: 1,
    attributes: {
      on: [1, 'bool'],
      startupBehavior: [2, 'off,on,toggle,previous'],
    },
    commands: {
      turnOn: [8, 'duration?: uint32', ''],
      turnOff: [9, '', ''],
      toggle: [10, '', ''],
    },
    infoRequests: {},
  },
  level: {
    id: 2,
    revision: 1,
    attributes: {
      level: [1, 'float32'],
      minLevel: [2, 'float32'],
      remainingTransition: [3, 'uint32'],
      defaultTransition: [4, 'uint32'],
      startupLevel: [5, 'float32'],
    },
    commands: {
      setLevel: [8, 'level: float32; transition?: uint32', ''],
      setLevelWithOnOff: [9, 'level?: float32; transition?: uint32; restore?: bool', ''],
      move: [10, 'direction: up|down; rate?: float32', ''],
      step: [11, 'delta: float32; transition?: uint32', ''],
      stop: [12, '', ''],
    },
    infoRequests: {},
  },
  temperatureMeasurement: {
    id: 26,
    revision: 1,
    attributes: {
      temperature: [1, 'float64'],
      offset: [2, 'float32'],
    },
    commands: {},
    infoRequests: {},
  },
  humidityMeasurement: {
    id: 27,
    revision: 1,
    attributes: {
      relativeHumidity: [1, 'float64'],
    },
    commands: {},
    infoRequests: {},
  },
  powerLevel: {
    id: 42,
    revision: 1,
    attributes: {
      batteryLevel: [1, 'float64'],
      batteryVoltage: [2, 'float32'],
      voltageLow: [3, 'bool'],
      levelLow: [4, 'bool'],
      levelCritical: [5, 'bool'],
      charging: [6, 'notCharging,charging,full,fault,unknown'],
      timeRemaining: [7, 'uint32'],
      replacementNeeded: [8, 'bool'],
      externalPower: [9, 'bool'],
    },
    commands: {},
    infoRequests: {},
  },
  electricalMeasurement: {
    id: 44,
    revision: 1,
    attributes: {
      voltage: [1, 'float32'],
      current: [2, 'float32'],
      activePower: [3, 'float32'],
      reactivePower: [4, 'float32'],
      apparentPower: [5, 'float32'],
      powerFactor: [6, 'float32'],
      frequency: [7, 'float32'],
      fault: [8, 'none,overVoltage,underVoltage,overCurrent,residualCurrent,overTemperature'],
    },
    commands: {},
    infoRequests: {},
  },
  networkConfiguration: {
    id: 58,
    revision: 1,
    attributes: {
      rssi: [1, 'int16'],
      signalLevel: [2, 'uint8'],
      networkName: [3, 'string'],
      linkType: [4, 'wifi,ethernet,cellular,thread,zigbee,zwave,ble,other'],
      channel: [5, 'uint16'],
      addresses: [6, 'array'],
      security: [7, 'open,wpa2,wpa3,other'],
    },
    commands: {
      scanNetworks: [8, '', 'networks: json'],
      setWifi: [9, 'ssid: string; password?: string; security?: open|wpa2|wpa3|other', ''],
      removeNetwork: [10, 'ssid: string', ''],
    },
    infoRequests: {},
  },
  identify: {
    id: 59,
    revision: 1,
    attributes: {
      identifying: [1, 'bool'],
    },
    commands: {
      identify: [8, 'duration: uint32; effect?: blink|breathe|beep|vibrate', ''],
    },
    infoRequests: {},
  },
  deviceInfo: {
    id: 60,
    revision: 1,
    attributes: {
      hardwareVersion: [1, 'string'],
      firmwareVersion: [2, 'string'],
      sdkVersion: [3, 'string'],
      uptime: [4, 'uint64'],
      bootReason: [5, 'powerOn,brownOut,watchdog,hardwareWatchdog,firmwareUpdate,reset,crash,unknown'],
      rebootCount: [6, 'uint32'],
      labels: [7, 'json'],
    },
    commands: {},
    infoRequests: {},
  },
  diagnostics: {
    id: 62,
    revision: 1,
    attributes: {
      cpuLoad: [1, 'float32'],
      memoryUsed: [2, 'uint64'],
      memoryFree: [3, 'uint64'],
      diskFree: [4, 'uint64'],
      temperature: [5, 'float32'],
      faults: [6, 'json'],
      peers: [7, 'json'],
      natType: [8, 'none,endpointIndependent,addressDependent,addressPortDependent,blocked,unknown'],
    },
    commands: {
      selfTest: [8, 'name?: string', 'results: json'],
      ping: [9, 'nodeId: uint32; count?: uint8; size?: uint16', 'rtt: array; loss: float32'],
      resetCounters: [10, '', ''],
    },
    infoRequests: {
      report: [1, 'sections?: array', 'report: json'],
    },
  },
  telemetry: {
    id: 66,
    revision: 1,
    attributes: {
      channels: [1, 'json'],
      batch: [2, 'json'],
      buffered: [3, 'uint32'],
    },
    commands: {
      subscribe: [
        8,
        'channels: array; maxRate?: float32; batch?: uint32; until?: timestamp',
        'subscriptionId: string',
      ],
      unsubscribe: [9, 'subscriptionId: string', ''],
    },
    infoRequests: {
      history: [
        1,
        'channelId: string; from: timestamp; to: timestamp; maxPoints?: uint32; aggregate?: none|mean|min|max|sum',
        'points: json',
      ],
    },
  },
};
