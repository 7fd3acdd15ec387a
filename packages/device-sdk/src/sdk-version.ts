/** Version of this package, as `deviceInfo.sdkVersion` shows it. */
export const SDK_VERSION = '0.1.0';
