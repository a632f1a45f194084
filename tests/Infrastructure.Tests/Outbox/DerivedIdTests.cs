using Orders.Testing.Zoo;
using QueueWorkers.Outbox;
using QueueWorkers.Outbox.Ids;

namespace Orders.Infrastructure.Tests.Outbox;

/// <summary>Ids that whoever makes a message again computes again.</summary>
public sealed class DerivedIdTests
{
    private static readonly Guid Origin = Guid.CreateVersion7();

    [Test]
    public void The_same_origin_and_name_give_the_same_id()
    {
        var first = OutgoingMessage.IdOf<Born>(Origin, "mother");
        Assert.That(OutgoingMessage.IdOf<Born>(Origin, "mother"), Is.EqualTo(first));
    }

    [Test]
    public void Another_step_type_number_or_origin_gives_another_id() =>
        Assert.That(
            new[]
            {
                Origin,
                OutgoingMessage.IdOf<Born>(Origin),
                OutgoingMessage.IdOf<Born>(Origin, "mother"),
                OutgoingMessage.IdOf<Born>(Origin, "father"),
                OutgoingMessage.IdOf<Fed>(Origin, "mother"),
                OutgoingMessage.IdOf<Born>(Origin, "mother", 2),
                OutgoingMessage.IdOf<Born>(Guid.CreateVersion7(), "mother"),
            },
            Is.Unique
        );

    [Test]
    public void They_sort_by_time_as_their_origins_do()
    {
        var early = Guid.CreateVersion7(DateTimeOffset.UtcNow.AddMinutes(-1));
        Assert.That(
            string.CompareOrdinal(
                OutgoingMessage.IdOf<Born>(early).ToString(),
                OutgoingMessage.IdOf<Born>(Origin).ToString()
            ),
            Is.Negative
        );
        Assert.That(OutgoingMessage.IdOf<Born>(Origin).Version, Is.EqualTo(7));
        var moment = DateTimeOffset.UtcNow;
        Assert.That(
            DerivedId.Of(moment, "tick").ToString()[..13],
            Is.EqualTo(Guid.CreateVersion7(moment).ToString()[..13])
        );
    }
}
