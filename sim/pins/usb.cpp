// SPDX-License-Identifier: Apache-2.0
// The board top whose FPGA is the USB device (rtl/boards/flx_board_usb.v), and a full-speed
// host at its wires: transactions, toggles, frames, control transfers. Packets are made and
// checked by tests/rtl/usb/packet.cpp.
#include <array>
#include <cstdio>
#include <functional>
#include <new>

#include "flx_pins.h"
#include "usb_wires.h"

namespace
{

constexpr double FRAME = 1000 * US, RESET = 100 * US, SETTLE = 20 * US;
constexpr int POWER_UP_CYCLES = 256, TRIES = 3, NAKS = 1000;
constexpr uint8_t ADDRESS = 5;
constexpr int ENDPOINTS = 2, PACKET = 64;

struct Sim : Wires {
    double next_frame = 0;
    unsigned frame = 0, address = 0;
    bool toggle_in[ENDPOINTS] = {}, toggle_out[ENDPOINTS] = {};

    void start_of_frames()
    {
        while (clocks.now >= next_frame) {
            send(start_of_frame(frame++));
            next_frame = std::max(next_frame + FRAME, clocks.now);
        }
    }

    void idle(double time)
    {
        double end = clocks.now + time;
        while (clocks.now < end) {
            start_of_frames();
            run_to(std::min(end, next_frame) + 1);
        }
    }

    // One try: a length, FLX_PINS_NAK, _STALL or _LOST.
    int out(Pid kind, unsigned ep, Pid pid, const Bytes &data)
    {
        start_of_frames();
        send(token(kind, address, ep));
        send(data_packet(pid, data));
        Bytes answer = receive();
        switch (answer.empty() ? 0 : answer[0] & 15) {
        case PID_ACK:
            return static_cast<int>(data.size());
        case PID_NAK:
            return FLX_PINS_NAK;
        case PID_STALL:
            return FLX_PINS_STALL;
        default:
            return FLX_PINS_LOST;
        }
    }

    int in(unsigned ep, Pid &pid, Bytes &data)
    {
        start_of_frames();
        send(token(PID_IN, address, ep));
        Bytes answer = receive();
        if (answer.empty())
            return FLX_PINS_LOST;
        pid = static_cast<Pid>(answer[0] & 15);
        if (pid == PID_NAK || pid == PID_STALL)
            return pid == PID_NAK ? FLX_PINS_NAK : FLX_PINS_STALL;
        CHECK((pid == PID_DATA0 || pid == PID_DATA1) && answer.size() >= 3);
        CHECK(answer.size() <= PACKET + 3);
        data.assign(answer.begin() + 1, answer.end() - 2);
        CHECK(answer == data_packet(pid, data));
        send(handshake(PID_ACK));
        return static_cast<int>(data.size());
    }

    static int retry(const std::function<int()> &transaction)
    {
        int r = FLX_PINS_LOST;
        for (int i = 0; i < TRIES && r == FLX_PINS_LOST; i++)
            r = transaction();
        return r;
    }

    static int patient(const std::function<int()> &transaction)
    {
        int r = FLX_PINS_NAK;
        for (int i = 0; i < NAKS && r == FLX_PINS_NAK; i++)
            r = retry(transaction);
        return r;
    }

    int bulk_out(unsigned ep, const Bytes &data)
    {
        int r =
            retry([&] { return out(PID_OUT, ep, toggle_out[ep] ? PID_DATA1 : PID_DATA0, data); });
        if (r >= 0)
            toggle_out[ep] = !toggle_out[ep];
        return r;
    }

    // A packet with the old toggle is a repetition.
    int bulk_in(unsigned ep, Bytes &data)
    {
        return retry([&] {
            Pid pid = PID_NAK;
            int r = in(ep, pid, data);
            if (r < 0)
                return r;
            if ((pid == PID_DATA1) != toggle_in[ep])
                return static_cast<int>(FLX_PINS_LOST);
            toggle_in[ep] = !toggle_in[ep];
            return r;
        });
    }

    // IN stage: until a short packet.
    int read_stage(int length, Bytes &all)
    {
        toggle_in[0] = true;
        for (Bytes part; static_cast<int>(all.size()) < length;) {
            int r = patient([&] { return bulk_in(0, part); });
            if (r < 0)
                return r;
            all.insert(all.end(), part.begin(), part.end());
            if (r < PACKET)
                break;
        }
        CHECK(static_cast<int>(all.size()) <= length);
        return patient([&] { return out(PID_OUT, 0, PID_DATA1, {}); });
    }

    int control(const uint8_t *setup, Bytes &data)
    {
        int length = setup[6] | setup[7] << 8;
        data.clear();
        int r = patient([&] { return out(PID_SETUP, 0, PID_DATA0, Bytes(setup, setup + 8)); });
        if (r < 0)
            return r;
        if (setup[0] & 0x80 && length)
            return read_stage(length, data);
        toggle_in[0] = true;
        return patient([&] { return bulk_in(0, data); });
    }

    int request(std::array<uint8_t, 8> setup)
    {
        Bytes none;
        return control(setup.data(), none);
    }

    int enumerate()
    {
        drive(SE0, RESET);
        std::fill_n(toggle_in, ENDPOINTS, false);
        std::fill_n(toggle_out, ENDPOINTS, false);
        address = 0;
        next_frame = clocks.now;
        idle(SETTLE);
        int r = request({0, 5, ADDRESS, 0, 0, 0, 0, 0});
        if (r < 0)
            return r;
        address = ADDRESS;
        idle(SETTLE);
        return request({0, 9, 1, 0, 0, 0, 0, 0});
    }

    void power_up()
    {
        top->i_locked = 0;
        run(POWER_UP_CYCLES * CLK_PERIOD);
        top->i_locked = 1;
        run(POWER_UP_CYCLES * CLK_PERIOD);
    }
};

Sim &sim(void *self)
{
    return *static_cast<Sim *>(self);
}

// What the device must not do is said, and costs the transaction.
int guarded(const std::function<int()> &work)
{
    try {
        return work();
    } catch (const Failure &failure) {
        fprintf(stderr, "flexor-vboard: at the pins: %s\n", failure.what());
        return FLX_PINS_LOST;
    }
}

void *usb_open(uint32_t seed)
{
    try {
        auto s = std::make_unique<Sim>();
        s->context.randReset(2);
        s->context.randSeed(static_cast<int>(seed & 0x7fffffff) + 1);
        s->top = std::make_unique<Vflx_pins_usb>(&s->context, "flx_pins_usb");
        s->clocks.next_clk = seed % 100 * CLK_PERIOD / 100;
        Sim *raw = s.get();
        guarded([raw] { return raw->power_up(), 0; });
        return s.release();
    } catch (const std::bad_alloc &) {
        return nullptr;
    }
}

void usb_close(void *self)
{
    delete static_cast<Sim *>(self);
}

int usb_enumerate(void *self)
{
    return guarded([self] { return sim(self).enumerate(); });
}

int usb_control(void *self, const uint8_t *setup, uint8_t *data, int len)
{
    return guarded([=] {
        Bytes got;
        int r = sim(self).control(setup, got);
        if (r < 0)
            return r;
        int n = std::min(len, static_cast<int>(got.size()));
        std::copy_n(got.begin(), n, data);
        // SET_CONFIGURATION, SET_INTERFACE; CLEAR_FEATURE of an endpoint
        bool all = !(setup[0] & 0x60) && (setup[1] == 9 || setup[1] == 11);
        bool one = setup[0] == 2 && setup[1] == 1;
        if (all || (one && setup[4] & 0x80))
            sim(self).toggle_in[1] = false;
        if (all || (one && !(setup[4] & 0x80)))
            sim(self).toggle_out[1] = false;
        return n;
    });
}

int usb_out(void *self, int endpoint, const uint8_t *data, int len)
{
    if ((endpoint & 15) >= ENDPOINTS)
        return FLX_PINS_LOST;
    return guarded([=] { return sim(self).bulk_out(endpoint & 15, Bytes(data, data + len)); });
}

int usb_in(void *self, int endpoint, uint8_t *data)
{
    if ((endpoint & 15) >= ENDPOINTS)
        return FLX_PINS_LOST;
    return guarded([=] {
        Bytes got;
        int r = sim(self).bulk_in(endpoint & 15, got);
        if (r > 0)
            std::copy(got.begin(), got.end(), data);
        return r;
    });
}

void usb_idle(void *self, int us)
{
    guarded([=] { return sim(self).idle(us * US), 0; });
}

void usb_power_up(void *self)
{
    guarded([=] { return sim(self).power_up(), 0; });
}

uint64_t usb_cycles(const void *self)
{
    return static_cast<const Sim *>(self)->cycle;
}

int usb_busy(const void *self)
{
    return static_cast<const Sim *>(self)->top->o_busy;
}

const flx_usb_pins_api api = {
    FLX_PINS_ABI, FLX_SIM_CLK_KHZ, usb_open, usb_close,    usb_enumerate, usb_control,
    usb_out,      usb_in,          usb_idle, usb_power_up, usb_cycles,    usb_busy,
};

} // namespace

extern "C" __attribute__((visibility("default"))) const flx_usb_pins_api *flx_usb_pins_get(void)
{
    return &api;
}
