using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Orders.OutsideWorld.Faults;

namespace Orders.OutsideWorld.Tests;

public sealed class StartAndStopTests
{
    [Test]
    public async Task It_stops_within_two_seconds_with_idle_sessions_and_slow_answers_open()
    {
        var world = await OutsideWorldHost.StartAsync();
        var delay = TimeSpan.FromMinutes(5);
        world.Behaviour.Smtp.Set(new FaultProfile<SmtpMode>(SmtpMode.Slow, delay));
        world.Behaviour.Warehouse.Set(new FaultProfile<WarehouseMode>(WarehouseMode.Slow, delay));
        using var idle = await RawSmtp.GreetedAsync(world.SmtpPort);
        using var inData = await RawSmtp.GreetedAsync(world.SmtpPort);
        await inData.SendAsync("MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: half");
        using var waiting = await RawSmtp.GreetedAsync(world.SmtpPort);
        await waiting.SendAsync(
            "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n"
        );
        using var http = new HttpClient { BaseAddress = world.BaseUri };
        http.DefaultRequestHeaders.Add("Idempotency-Key", "key-1");
        var call = http.PostAsJsonAsync("/warehouse", new { orderId = "order-1" });
        Assert.That(
            () => world.Mails.DeliveredCount + world.Warehouse.Count,
            Is.EqualTo(2).After(30).Seconds.PollEvery(10).MilliSeconds
        );

        var watch = Stopwatch.StartNew();
        await world.DisposeAsync();

        // It takes no time by itself; what waited for the answers would take their five minutes.
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(20)));
        Assert.That(async () => await call, Throws.TypeOf<HttpRequestException>());
        using var probe = new TcpClient();
        Assert.That(
            async () => await probe.ConnectAsync("127.0.0.1", world.SmtpPort),
            Throws.TypeOf<SocketException>()
        );
    }

    [TestCase("/anything")]
    [TestCase("/anything/points")]
    public async Task Anything_is_accepted_below_one_path(string path)
    {
        await using var world = await OutsideWorldHost.StartAsync();
        using var http = new HttpClient { BaseAddress = world.BaseUri };
        using var answer = await http.PostAsJsonAsync(path, new { orderId = "order-1" });
        Assert.That(answer.StatusCode, Is.EqualTo(System.Net.HttpStatusCode.NoContent));
        Assert.That(world.Warehouse.Count, Is.Zero);
    }

    [Test]
    public void Every_wrong_option_is_reported_at_once_without_telling_the_secret()
    {
        var start = () =>
            OutsideWorldHost.StartAsync(options =>
            {
                options.SmtpPort = 70_000;
                options.WarehouseSecret = "whsec_c2hvcnQ=";
            });

        Assert.That(
            start,
            Throws
                .TypeOf<OptionsValidationException>()
                .With.Property("Failures")
                .EqualTo(
                    new[]
                    {
                        "OutsideWorld:SmtpPort must be 0–65535, got 70000; set OutsideWorld__SmtpPort",
                        "OutsideWorld:WarehouseSecret must be whsec_ and 24–64 bytes in base64, got 5 bytes; set OutsideWorld__WarehouseSecret",
                    }
                )
        );
    }

    [Test]
    public async Task A_taken_port_is_reported_with_the_variable_to_change()
    {
        await using var first = await OutsideWorldHost.StartAsync();
        var second = () => OutsideWorldHost.StartAsync(options => options.SmtpPort = first.SmtpPort);

        Assert.That(second, Throws.TypeOf<IOException>().With.Message.Contains("OutsideWorld__SmtpPort"));
    }
}
