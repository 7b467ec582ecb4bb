#!/bin/busybox sh
# init.sh - /init of the guest: brings up the simulated hardware and runs /t/run.sh.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/tmp
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mkdir -p /dev/pts
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
ln -sf /proc/self/fd /dev/fd
hostname hw
ifconfig lo 127.0.0.1 up
for m in $(cat /etc/modules); do modprobe "$m" 2>/dev/null || echo "init: no module $m"; done
mount -t configfs config /sys/kernel/config

# two GPIO chips: one with the label and the line names of a Raspberry Pi 4,
# one small expander without names, so that label + offset is needed
g=/sys/kernel/config/gpio-sim/hw
mkdir -p $g/pi $g/expander
echo pinctrl-bcm2711 >$g/pi/label; echo 54 >$g/pi/num_lines
i=0; while [ $i -lt 54 ]; do mkdir $g/pi/line$i; echo "GPIO$i" >$g/pi/line$i/name; i=$((i+1)); done
echo expander >$g/expander/label; echo 8 >$g/expander/num_lines
echo 1 >$g/live
export HW_GPIO=/sys/devices/platform/$(cat $g/dev_name)/$(cat $g/pi/chip_name)
export HW_EXPANDER=/sys/devices/platform/$(cat $g/dev_name)/$(cat $g/expander/chip_name)

# a third chip that the tests plug in and out by writing 1 and 0 to $HW_LOOSE/live
export HW_LOOSE=/sys/kernel/config/gpio-sim/loose
mkdir -p $HW_LOOSE/bank; echo loose >$HW_LOOSE/bank/label; echo 4 >$HW_LOOSE/bank/num_lines
echo 1 >$HW_LOOSE/live

# the four UARTs: /dev/hw-tty0 and 1 are the two ends of one cable, 2 and 3 of another
i=0; for t in /sys/class/tty/ttyS*; do
	case $(readlink -f "$t/device") in *pci*) ln -sf "/dev/${t##*/}" /dev/hw-tty$i; i=$((i+1)) ;; esac
done
# channels to the host: -out (output), -rc (exit status), -host (asks the host to plug and unplug)
for p in /sys/class/virtio-ports/*; do ln -sf "/dev/${p##*/}" "/dev/virtio-$(cat "$p/name")"; done

# a USB receipt printer, a CDC card reader and a keyboard-wedge scanner, made by the
# kernel's gadget framework and plugged into the same kernel by dummy_hcd; their far
# ends are /dev/g_printer0, /dev/ttyGS0 and /dev/hidg0. Writing the name of the
# controller to $HW_UDC plugs them in, an empty line pulls the plug.
u=/sys/kernel/config/usb_gadget/hw
mkdir -p $u && cd $u
echo 0x0525 >idVendor; echo 0xa4a8 >idProduct
mkdir -p strings/0x409; echo Longcheng >strings/0x409/manufacturer; echo KIOSK >strings/0x409/product; echo HW0001 >strings/0x409/serialnumber
mkdir -p functions/printer.0 functions/acm.0 functions/hid.0
echo "MFG:Acme;MDL:TM-T88;CLS:PRINTER;CMD:ESC/POS;" >functions/printer.0/pnp_string
echo 1 >functions/hid.0/protocol; echo 1 >functions/hid.0/subclass; echo 8 >functions/hid.0/report_length
printf '\005\001\011\006\241\001\005\007\031\340\051\347\025\000\045\001\165\001\225\010\201\002\225\001\165\010\201\003\225\005\165\001\005\010\031\001\051\005\221\002\225\001\165\003\221\003\225\006\165\010\025\000\045\145\005\007\031\000\051\145\201\000\300' >functions/hid.0/report_desc
mkdir -p configs/c.1; ln -s functions/printer.0 functions/acm.0 functions/hid.0 configs/c.1/
export HW_UDC=$u/UDC HW_UDC_NAME=$(ls /sys/class/udc | head -1)
echo "$HW_UDC_NAME" >UDC

echo "init: up after $(cut -d' ' -f1 /proc/uptime) s, kernel $(uname -r)"
cd /t && sh /t/run.sh >/dev/virtio-out 2>&1 </dev/null
echo $? >/dev/virtio-rc
sync
poweroff -f
