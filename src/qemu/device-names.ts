/**
 * Types of -device that QEMU has and this library has not, aliases among them: those of QEMU 11.1 and 7.2 for x86_64, aarch64 and s390x.
 * test/qemu-known holds the lists against what QEMU says.
 */
import { lazily } from "../base/lazily.js";

/** Disks and host adapters of other kinds. */
const STORAGE = `
  160s33b 25csm04 320s33b 640s33b ahci am53c974 at25128a-nonjedec at25256a-nonjedec at25df041a at25df321a at25df641 at25fs010 at25fs040
  at26df081a at26df161a at26df321 at26f004 at45db081d cxl-type3 dc390 emmc en25f32 en25p32 en25p64 en25q32b en25q64 floppy gd25q32
  gd25q64 ich9-ahci ide-cd ide-cf ide-hd is25lp016d is25lp032 is25lp064 is25lp080d is25lp128 is25lp256 is25lq040b is25wp032 is25wp064
  is25wp128 is25wp256 isa-fdc isa-ide lsi lsi53c810 lsi53c895a m25p05 m25p10 m25p128 m25p16 m25p20 m25p32 m25p40 m25p64 m25p80 m25pe16
  m25pe20 m25pe80 m25px32 m25px32-s0 m25px32-s1 m25px64 m45pe10 m45pe16 m45pe80 megasas megasas-gen2 mptsas1068 mt25ql01g mt25ql02g
  mt25ql512ab mt25qu01g mt25qu02g mt35xu01g mt35xu02gbba mx25l12805d mx25l12855e mx25l1606e mx25l2005a mx25l25635e mx25l25635f
  mx25l25655e mx25l3205d mx25l4005a mx25l6405d mx25l8005 mx66l1g45g mx66l51235f mx66u1g45g mx66u51235f n25q00 n25q00a n25q032 n25q032a11
  n25q032a13 n25q064 n25q064a11 n25q064a13 n25q128 n25q128a11 n25q128a13 n25q256a n25q256a11 n25q256a13 n25q512a n25q512a11 n25q512a13
  n25q512ax3 nvdimm nvme nvme-ns nvme-subsys piix3-ide piix4-ide pvscsi s25fl016k s25fl064k s25fl129p0 s25fl129p1 s25fl256s0 s25fl256s1
  s25fl512s s25fs512s s25sl004a s25sl008a s25sl016a s25sl032a s25sl032p s25sl064a s25sl064p s25sl12800 s25sl12801 s70fl01gs s70fs01gs
  scsi-cd scsi-hd sd-card sd-card-spi sdhci-pci sst25vf016b sst25vf032b sst25vf040b sst25vf080b sst25wf010 sst25wf020 sst25wf040
  sst25wf080 sst25wf512 ufs usb-bot usb-mtp usb-storage usb-uas vhost-scsi vhost-scsi-ccw vhost-scsi-pci vhost-scsi-pci-non-transitional
  vhost-scsi-pci-transitional vhost-user-blk vhost-user-blk-pci vhost-user-blk-pci-non-transitional vhost-user-blk-pci-transitional
  vhost-user-fs-ccw vhost-user-fs-device vhost-user-fs-pci vhost-user-scsi vhost-user-scsi-pci vhost-user-scsi-pci-non-transitional
  vhost-user-scsi-pci-transitional virtio-9p virtio-9p-ccw virtio-9p-device virtio-9p-pci virtio-9p-pci-non-transitional
  virtio-9p-pci-transitional virtio-blk virtio-blk-ccw virtio-blk-device virtio-blk-pci virtio-blk-pci-non-transitional
  virtio-blk-pci-transitional virtio-pmem w25q01jvq w25q02jvm w25q256 w25q32 w25q32dw w25q512jv w25q64 w25q80 w25q80bl w25x10 w25x16
  w25x20 w25x32 w25x40 w25x64 w25x80
`;

/** Processors, which some machines take as devices. */
const PROCESSORS = `
  486-v1-x86_64-cpu 486-x86_64-cpu Broadwell-IBRS-x86_64-cpu Broadwell-noTSX-IBRS-x86_64-cpu Broadwell-noTSX-x86_64-cpu
  Broadwell-v1-x86_64-cpu Broadwell-v2-x86_64-cpu Broadwell-v3-x86_64-cpu Broadwell-v4-x86_64-cpu Broadwell-x86_64-cpu
  Cascadelake-Server-noTSX-x86_64-cpu Cascadelake-Server-v1-x86_64-cpu Cascadelake-Server-v2-x86_64-cpu Cascadelake-Server-v3-x86_64-cpu
  Cascadelake-Server-v4-x86_64-cpu Cascadelake-Server-v5-x86_64-cpu Cascadelake-Server-v6-x86_64-cpu Cascadelake-Server-v7-x86_64-cpu
  Cascadelake-Server-x86_64-cpu ClearwaterForest-v1-x86_64-cpu ClearwaterForest-v2-x86_64-cpu ClearwaterForest-v3-x86_64-cpu
  ClearwaterForest-v4-x86_64-cpu ClearwaterForest-x86_64-cpu Conroe-v1-x86_64-cpu Conroe-x86_64-cpu Cooperlake-v1-x86_64-cpu
  Cooperlake-v2-x86_64-cpu Cooperlake-x86_64-cpu Denverton-v1-x86_64-cpu Denverton-v2-x86_64-cpu Denverton-v3-x86_64-cpu
  Denverton-x86_64-cpu Dhyana-v1-x86_64-cpu Dhyana-v2-x86_64-cpu Dhyana-x86_64-cpu DiamondRapids-v1-x86_64-cpu
  DiamondRapids-v2-x86_64-cpu DiamondRapids-x86_64-cpu EPYC-Genoa-v1-x86_64-cpu EPYC-Genoa-v2-x86_64-cpu EPYC-Genoa-v3-x86_64-cpu
  EPYC-Genoa-x86_64-cpu EPYC-IBPB-x86_64-cpu EPYC-Milan-v1-x86_64-cpu EPYC-Milan-v2-x86_64-cpu EPYC-Milan-v3-x86_64-cpu
  EPYC-Milan-v4-x86_64-cpu EPYC-Milan-x86_64-cpu EPYC-Rome-v1-x86_64-cpu EPYC-Rome-v2-x86_64-cpu EPYC-Rome-v3-x86_64-cpu
  EPYC-Rome-v4-x86_64-cpu EPYC-Rome-v5-x86_64-cpu EPYC-Rome-x86_64-cpu EPYC-Turin-v1-x86_64-cpu EPYC-Turin-v2-x86_64-cpu
  EPYC-Turin-x86_64-cpu EPYC-v1-x86_64-cpu EPYC-v2-x86_64-cpu EPYC-v3-x86_64-cpu EPYC-v4-x86_64-cpu EPYC-v5-x86_64-cpu EPYC-x86_64-cpu
  GraniteRapids-v1-x86_64-cpu GraniteRapids-v2-x86_64-cpu GraniteRapids-v3-x86_64-cpu GraniteRapids-v4-x86_64-cpu
  GraniteRapids-v5-x86_64-cpu GraniteRapids-v6-x86_64-cpu GraniteRapids-v7-x86_64-cpu GraniteRapids-x86_64-cpu Haswell-IBRS-x86_64-cpu
  Haswell-noTSX-IBRS-x86_64-cpu Haswell-noTSX-x86_64-cpu Haswell-v1-x86_64-cpu Haswell-v2-x86_64-cpu Haswell-v3-x86_64-cpu
  Haswell-v4-x86_64-cpu Haswell-x86_64-cpu Icelake-Server-noTSX-x86_64-cpu Icelake-Server-v1-x86_64-cpu Icelake-Server-v2-x86_64-cpu
  Icelake-Server-v3-x86_64-cpu Icelake-Server-v4-x86_64-cpu Icelake-Server-v5-x86_64-cpu Icelake-Server-v6-x86_64-cpu
  Icelake-Server-v7-x86_64-cpu Icelake-Server-v8-x86_64-cpu Icelake-Server-v9-x86_64-cpu Icelake-Server-x86_64-cpu
  IvyBridge-IBRS-x86_64-cpu IvyBridge-v1-x86_64-cpu IvyBridge-v2-x86_64-cpu IvyBridge-x86_64-cpu KnightsMill-v1-x86_64-cpu
  KnightsMill-x86_64-cpu Nehalem-IBRS-x86_64-cpu Nehalem-v1-x86_64-cpu Nehalem-v2-x86_64-cpu Nehalem-x86_64-cpu Opteron_G1-v1-x86_64-cpu
  Opteron_G1-x86_64-cpu Opteron_G2-v1-x86_64-cpu Opteron_G2-x86_64-cpu Opteron_G3-v1-x86_64-cpu Opteron_G3-x86_64-cpu
  Opteron_G4-v1-x86_64-cpu Opteron_G4-x86_64-cpu Opteron_G5-v1-x86_64-cpu Opteron_G5-x86_64-cpu Penryn-v1-x86_64-cpu Penryn-x86_64-cpu
  SandyBridge-IBRS-x86_64-cpu SandyBridge-v1-x86_64-cpu SandyBridge-v2-x86_64-cpu SandyBridge-x86_64-cpu SapphireRapids-v1-x86_64-cpu
  SapphireRapids-v2-x86_64-cpu SapphireRapids-v3-x86_64-cpu SapphireRapids-v4-x86_64-cpu SapphireRapids-v5-x86_64-cpu
  SapphireRapids-v6-x86_64-cpu SapphireRapids-v7-x86_64-cpu SapphireRapids-v8-x86_64-cpu SapphireRapids-x86_64-cpu
  SierraForest-v1-x86_64-cpu SierraForest-v2-x86_64-cpu SierraForest-v3-x86_64-cpu SierraForest-v4-x86_64-cpu SierraForest-v5-x86_64-cpu
  SierraForest-v6-x86_64-cpu SierraForest-x86_64-cpu Skylake-Client-IBRS-x86_64-cpu Skylake-Client-noTSX-IBRS-x86_64-cpu
  Skylake-Client-v1-x86_64-cpu Skylake-Client-v2-x86_64-cpu Skylake-Client-v3-x86_64-cpu Skylake-Client-v4-x86_64-cpu
  Skylake-Client-x86_64-cpu Skylake-Server-IBRS-x86_64-cpu Skylake-Server-noTSX-IBRS-x86_64-cpu Skylake-Server-v1-x86_64-cpu
  Skylake-Server-v2-x86_64-cpu Skylake-Server-v3-x86_64-cpu Skylake-Server-v4-x86_64-cpu Skylake-Server-v5-x86_64-cpu
  Skylake-Server-v6-x86_64-cpu Skylake-Server-x86_64-cpu Snowridge-v1-x86_64-cpu Snowridge-v2-x86_64-cpu Snowridge-v3-x86_64-cpu
  Snowridge-v4-x86_64-cpu Snowridge-x86_64-cpu Westmere-IBRS-x86_64-cpu Westmere-v1-x86_64-cpu Westmere-v2-x86_64-cpu
  Westmere-x86_64-cpu YongFeng-v1-x86_64-cpu YongFeng-v2-x86_64-cpu YongFeng-v3-x86_64-cpu YongFeng-x86_64-cpu athlon-v1-x86_64-cpu
  athlon-x86_64-cpu base-x86_64-cpu core2duo-v1-x86_64-cpu core2duo-x86_64-cpu coreduo-v1-x86_64-cpu coreduo-x86_64-cpu
  gen15a-base-s390x-cpu gen15a-s390x-cpu gen15b-base-s390x-cpu gen15b-s390x-cpu gen16a-base-s390x-cpu gen16a-s390x-cpu
  gen16b-base-s390x-cpu gen16b-s390x-cpu gen17a-base-s390x-cpu gen17a-s390x-cpu gen17b-base-s390x-cpu gen17b-s390x-cpu host-x86_64-cpu
  kvm32-v1-x86_64-cpu kvm32-x86_64-cpu kvm64-v1-x86_64-cpu kvm64-x86_64-cpu max-s390x-cpu max-x86_64-cpu n270-v1-x86_64-cpu
  n270-x86_64-cpu pentium-v1-x86_64-cpu pentium-x86_64-cpu pentium2-v1-x86_64-cpu pentium2-x86_64-cpu pentium3-v1-x86_64-cpu
  pentium3-x86_64-cpu phenom-v1-x86_64-cpu phenom-x86_64-cpu qemu-s390x-cpu qemu32-v1-x86_64-cpu qemu32-x86_64-cpu qemu64-v1-x86_64-cpu
  qemu64-x86_64-cpu z10BC-base-s390x-cpu z10BC-s390x-cpu z10BC.2-base-s390x-cpu z10BC.2-s390x-cpu z10EC-base-s390x-cpu z10EC-s390x-cpu
  z10EC.2-base-s390x-cpu z10EC.2-s390x-cpu z10EC.3-base-s390x-cpu z10EC.3-s390x-cpu z114-base-s390x-cpu z114-s390x-cpu
  z13-base-s390x-cpu z13-s390x-cpu z13.2-base-s390x-cpu z13.2-s390x-cpu z13s-base-s390x-cpu z13s-s390x-cpu z14-base-s390x-cpu
  z14-s390x-cpu z14.2-base-s390x-cpu z14.2-s390x-cpu z14ZR1-base-s390x-cpu z14ZR1-s390x-cpu z196-base-s390x-cpu z196-s390x-cpu
  z196.2-base-s390x-cpu z196.2-s390x-cpu z800-base-s390x-cpu z800-s390x-cpu z890-base-s390x-cpu z890-s390x-cpu z890.2-base-s390x-cpu
  z890.2-s390x-cpu z890.3-base-s390x-cpu z890.3-s390x-cpu z900-base-s390x-cpu z900-s390x-cpu z900.2-base-s390x-cpu z900.2-s390x-cpu
  z900.3-base-s390x-cpu z900.3-s390x-cpu z990-base-s390x-cpu z990-s390x-cpu z990.2-base-s390x-cpu z990.2-s390x-cpu z990.3-base-s390x-cpu
  z990.3-s390x-cpu z990.4-base-s390x-cpu z990.4-s390x-cpu z990.5-base-s390x-cpu z990.5-s390x-cpu z9BC-base-s390x-cpu z9BC-s390x-cpu
  z9BC.2-base-s390x-cpu z9BC.2-s390x-cpu z9EC-base-s390x-cpu z9EC-s390x-cpu z9EC.2-base-s390x-cpu z9EC.2-s390x-cpu z9EC.3-base-s390x-cpu
  z9EC.3-s390x-cpu zBC12-base-s390x-cpu zBC12-s390x-cpu zEC12-base-s390x-cpu zEC12-s390x-cpu zEC12.2-base-s390x-cpu zEC12.2-s390x-cpu
`;

/** Everything else. */
const OTHERS = `
  AC97 AMDVI-PCI ES1370 VGA ac97 acpi-erst adlib adm1266 adm1272 amd-iommu arm-smmuv3 aspeed-otp aspeed.i2c.slave aspeed.pcie-root-port
  at24c-eeprom ati-vga axp209_pmu axp221_pmu bochs-display ccid-card-emulated ccid-card-passthru cfam cirrus-vga cs4231a ctucan_pci
  cxl-downstream cxl-rp cxl-switch-mailbox-cci cxl-upstream diag288 dm163 dpcd dps310 ds1338 e1000 e1000-82540em e1000-82544gc
  e1000-82545em e1000e edu emc1413 emc1414 es1370 fsi.master fsi.scratchpad fsi.slave guest-loader gus hda-duplex hda-micro hda-output
  hv-balloon hv-syndbg hyperv-testdev i2c-ddc i2c-echo i6300esb i8042 i82550 i82551 i82557a i82557b i82557c i82558a i82558b i82559a
  i82559b i82559c i82559er i82562 i82801 i82801b11-bridge ib700 ich9-intel-hda ich9-usb-ehci1 ich9-usb-ehci2 ich9-usb-uhci1
  ich9-usb-uhci2 ich9-usb-uhci3 ich9-usb-uhci4 ich9-usb-uhci5 ich9-usb-uhci6 igb intel-hda intel-iommu ioh3420 iommu-testdev
  ipmi-bmc-extern ipmi-bmc-sim ipoctal232 isa-applesmc isa-cirrus-vga isa-debug-exit isa-debugcon isa-ipmi-bt isa-ipmi-kcs isa-parallel
  isa-serial isa-vga isl69259 isl69260 ivshmem-doorbell ivshmem-plain kvaser_pci led loader lsm303dlhc_mag m41t80 max31785 max34451
  mc146818rtc mioe3680_pci mock-i3c-target ne2k_isa ne2k_pci nec-usb-xhci nitro-heartbeat nitro-serial-vsock pc-dimm pc-testdev pca9535
  pca9546 pca9548 pca9552 pca9554 pci-bridge pci-bridge-seat pci-ipmi-bt pci-ipmi-kcs pci-ohci pci-serial pci-serial-2x pci-serial-4x
  pci-testdev pcie-pci-bridge pcie-root-port pcm3680_pci pcnet piix3-usb-uhci piix4-usb-uhci pvpanic pvpanic-pci pvrdma pxb pxb-cxl
  pxb-pcie qemu-xhci qxl qxl-vga raa228000 raa229004 ramfb rocker rs5c372 rtl8139 sb16 sbsa-gwdt sclpconsole sclplmconsole secondary-vga
  sga sii9022 smbus-ipmi sp-mem ssd0303 ssd0323 tmp105 tmp421 tmp422 tmp423 tpci200 tpm-crb tpm-tis tpm-tis-device tpm-tis-i2c tulip
  u2f-passthru uefi-vars-sysbus uefi-vars-x64 ufs-lu usb-audio usb-braille usb-ccid usb-ehci usb-host usb-hub usb-kbd usb-mouse usb-net
  usb-redir usb-serial usb-tablet usb-wacom-tablet vfio-ap vfio-ccw vfio-pci vfio-pci-igd-lpc-bridge vfio-pci-nohotplug vfio-user-pci
  vhost-user-gpio-device vhost-user-gpio-pci vhost-user-gpu vhost-user-gpu-pci vhost-user-i2c-device vhost-user-i2c-pci vhost-user-input
  vhost-user-input-pci vhost-user-rng vhost-user-rng-pci vhost-user-rtc vhost-user-rtc-pci vhost-user-scmi vhost-user-scmi-pci
  vhost-user-snd vhost-user-snd-pci vhost-user-spi-device vhost-user-spi-pci vhost-user-test-device vhost-user-test-device-pci
  vhost-user-vga vhost-user-vsock-device vhost-user-vsock-pci vhost-user-vsock-pci-non-transitional vhost-vdpa-device
  vhost-vdpa-device-pci vhost-vdpa-device-pci-non-transitional vhost-vdpa-device-pci-transitional vhost-vsock-ccw vhost-vsock-device
  vhost-vsock-pci vhost-vsock-pci-non-transitional virtconsole virtio-balloon virtio-balloon-ccw virtio-balloon-device
  virtio-balloon-pci virtio-balloon-pci-non-transitional virtio-balloon-pci-transitional virtio-crypto-ccw virtio-crypto-device
  virtio-crypto-pci virtio-gpu virtio-gpu-ccw virtio-gpu-device virtio-gpu-gl virtio-gpu-gl-device virtio-gpu-gl-pci virtio-gpu-pci
  virtio-input-host virtio-input-host-device virtio-input-host-pci virtio-iommu virtio-iommu-device virtio-iommu-pci virtio-keyboard
  virtio-keyboard-ccw virtio-keyboard-device virtio-keyboard-pci virtio-mem virtio-mem-ccw virtio-mem-pci virtio-mouse virtio-mouse-ccw
  virtio-mouse-device virtio-mouse-pci virtio-multitouch-device virtio-multitouch-pci virtio-net virtio-net-ccw virtio-net-device
  virtio-net-pci virtio-net-pci-non-transitional virtio-net-pci-transitional virtio-pmem-pci virtio-rng virtio-rng-ccw virtio-rng-device
  virtio-rng-pci virtio-rng-pci-non-transitional virtio-rng-pci-transitional virtio-rtc-device virtio-rtc-pci virtio-serial
  virtio-serial-ccw virtio-serial-device virtio-serial-pci virtio-serial-pci-non-transitional virtio-serial-pci-transitional
  virtio-sound virtio-sound-device virtio-sound-pci virtio-tablet virtio-tablet-ccw virtio-tablet-device virtio-tablet-pci virtio-vga
  virtio-vga-gl virtserialport vmbus-bridge vmclock vmcoreinfo vmgenid vmmouse vmware-svga vmxnet3 wm8750 x-pci-proxy-dev x-terminal3270
  x3130-upstream xen-backend xen-cdrom xen-console xen-disk xen-net-device xen-platform xio3130-downstream zpci
`;

const names = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Storage that is not here, by name. */
export const foreignStorage: () => ReadonlySet<string> = lazily(() => names(STORAGE));

/** What is no storage, by name. */
export const foreignDevices: () => ReadonlySet<string> = lazily(() => names(`${PROCESSORS} ${OTHERS}`));
