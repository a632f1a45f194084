using MassTransit;
using Orders.Contracts;
using QueueWorkers.Steps;
using Retry = QueueWorkers.Steps.Retry;

namespace Orders.Testing.Zoo;

/// <summary>What the steps of the zoo consume.</summary>
public sealed record Feed(Guid AnimalId);

/// <summary>What <see cref="MotherStep"/> publishes.</summary>
[Keys(KeysAttribute.Customer)]
public sealed record Born(Guid AnimalId);

/// <summary>A step written in a hurry: no policy but the name.</summary>
public sealed class HurriedStep : IConsumer<Feed>, IStep
{
    public static StepPolicy Policy => new("hurried");

    public Task Consume(ConsumeContext<Feed> context) => Task.CompletedTask;
}

/// <summary>Retries in memory and later, both quickly.</summary>
public sealed class PatientStep : IConsumer<Feed>, IStep
{
    public static StepPolicy Policy =>
        new("patient")
        {
            Retry = Retry.Exponential(1, TimeSpan.FromMilliseconds(5)),
            Redelivery = Redelivery.After(TimeSpan.FromMilliseconds(20), TimeSpan.FromMilliseconds(40)),
            Timeout = TimeSpan.FromSeconds(20),
            Concurrency = 50,
        };

    public Task Consume(ConsumeContext<Feed> context) => Task.CompletedTask;
}

/// <summary>Publishes in all the ways there are: through the run, the context and an injected endpoint.</summary>
public sealed class MotherStep(IPublishEndpoint injected) : IConsumer<Feed>, IStep
{
    public static StepPolicy Policy =>
        new("mother") { Redelivery = Redelivery.After(TimeSpan.FromMilliseconds(20)), Concurrency = 50 };

    public async Task Consume(ConsumeContext<Feed> context)
    {
        context.Step().Publish(new Born(context.Message.AnimalId));
        await context.Publish(new Fed(context.Message.AnimalId));
        await injected.Publish(new Grown(context.Message.AnimalId));
    }
}

/// <summary>Published by <see cref="MotherStep"/> through the context.</summary>
[Keys(KeysAttribute.Customer)]
public sealed record Fed(Guid AnimalId);

/// <summary>Published by <see cref="MotherStep"/> through an injected endpoint.</summary>
[Keys(KeysAttribute.Customer)]
public sealed record Grown(Guid AnimalId);

/// <summary>Claims its effect before it does it, as a step has to that calls the outside world.</summary>
public sealed class CarefulStep : IConsumer<Feed>, IStep
{
    public static StepPolicy Policy =>
        new("careful") { Redelivery = Redelivery.After(TimeSpan.FromMilliseconds(20)), Concurrency = 50 };

    public async Task Consume(ConsumeContext<Feed> context) =>
        await context.Step().Effect.ClaimAsync(TimeSpan.FromSeconds(2), "a reference", context.CancellationToken);
}
