using System.Text;
using System.Text.Json.Nodes;
using QueueWorkers.Outbox;

namespace Orders.Infrastructure.Tests.Clocks;

public sealed class EnvelopeTimesTests
{
    private static readonly byte[] Body = Encoding.UTF8.GetBytes(
        """
        {"messageId":"a","sentTime":"2026-01-01T10:00:00.5Z","expirationTime":"2026-01-01T11:00:00Z","message":{"at":"2026-01-01T10:00:00Z"}}
        """
    );

    [Test]
    public void The_stamps_of_a_machine_that_is_an_hour_slow_are_moved_and_nothing_else()
    {
        var moved = JsonNode.Parse(EnvelopeTimes.Moved(Body, TimeSpan.FromHours(1)))!;
        Assert.Multiple(() =>
        {
            Assert.That(moved["sentTime"]!.GetValue<DateTime>(), Is.EqualTo(At(11, 0, 0.5)));
            Assert.That(moved["expirationTime"]!.GetValue<DateTime>(), Is.EqualTo(At(12, 0, 0)));
            Assert.That(moved["message"]!["at"]!.GetValue<string>(), Is.EqualTo("2026-01-01T10:00:00Z"));
            Assert.That(moved["messageId"]!.GetValue<string>(), Is.EqualTo("a"));
        });
    }

    [TestCase("""{"messageId":"a"}""", 3600)]
    [TestCase("no envelope", 3600)]
    [TestCase("[]", 3600)]
    [TestCase("""{"sentTime":"2026-01-01T10:00:00Z"}""", 0)]
    public void What_has_no_stamps_or_needs_no_move_stays_as_it_is(string body, int seconds) =>
        Assert.That(
            Encoding.UTF8.GetString(EnvelopeTimes.Moved(Encoding.UTF8.GetBytes(body), TimeSpan.FromSeconds(seconds))),
            Is.EqualTo(body)
        );

    private static DateTime At(int hour, int minute, double second) =>
        new DateTime(2026, 1, 1, hour, minute, 0, DateTimeKind.Utc).AddSeconds(second);
}
