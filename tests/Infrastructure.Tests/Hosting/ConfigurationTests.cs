using Microsoft.Extensions.Configuration;
using Orders.Testing.Zoo;
using QueueWorkers.Hosting;
using QueueWorkers.Messaging;
using QueueWorkers.Outbox;
using QueueWorkers.Steps;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>A configuration that cannot work ends the start with everything that is wrong, and what to set.</summary>
public sealed class ConfigurationTests
{
    [Test]
    public void All_problems_of_a_section_are_told_at_once()
    {
        var configuration = Configuration(
            ("Outbox:BatchSize", "0"),
            ("Outbox:MaxAttempts", "101"),
            ("Outbox:PollInterval", "00:00:00"),
            ("Outbox:ConfirmTimeout", "00:00:05")
        );
        var problems = Assert.Throws<InvalidConfigurationException>(() => OutboxOptions.Read(configuration));
        Assert.That(problems.Message, Does.Contain("4 problem(s)"));
        Assert.That(problems.Message, Does.Contain("Outbox:BatchSize must be 1–1000, got 0; set Outbox__BatchSize"));
        Assert.That(
            problems.Message,
            Does.Contain("Outbox:MaxAttempts must be 1–100, got 101; set Outbox__MaxAttempts")
        );
        // Issue 15, 5: longer, and another relay would send the rows while this one waits.
        Assert.That(
            problems.Message,
            Does.Contain("Outbox:ConfirmTimeout must be 00:00:01–00:00:04, less than the lease")
        );
    }

    [Test]
    public void A_broker_without_address_or_user_is_refused()
    {
        var problems = Assert.Throws<InvalidConfigurationException>(() =>
            RabbitMqOptions.Read(Configuration(("RabbitMq:Port", "70000")))
        );
        Assert.That(
            problems.Message,
            Does.Contain("set RabbitMq__Host")
                .And.Contain("set RabbitMq__Username")
                .And.Contain("set RabbitMq__Password")
                .And.Contain("got 70000; set RabbitMq__Port")
        );
    }

    [Test]
    public void Defaults_need_no_configuration() =>
        Assert.That(OutboxOptions.Read(Configuration()), Is.EqualTo(new OutboxOptions()));

    [TestCase("hurryed", "did you mean 'hurried'?")]
    [TestCase("carefull", "did you mean 'careful'?")]
    [TestCase("patience", "did you mean 'patient'?")]
    public void An_unknown_step_is_refused_with_the_nearest_name(string name, string suggestion)
    {
        var problems = Assert.Throws<InvalidConfigurationException>(() => ZooCatalogue.Of().Choose(name));
        Assert.That(
            problems.Message,
            Does.Contain($"there is no step '{name}', {suggestion}").And.Contain("set Workers__Steps")
        );
    }

    [Test]
    public void A_name_that_is_like_none_gets_no_suggestion()
    {
        var problems = Assert.Throws<InvalidConfigurationException>(() => ZooCatalogue.Of().Choose("xylophone"));
        Assert.That(problems.Message, Does.Not.Contain("did you mean").And.Contain("known are hurried, patient"));
    }

    [Test]
    public void Every_unknown_step_is_told([Values("", " ", ",")] string separator)
    {
        var problems = Assert.Throws<InvalidConfigurationException>(() => ZooCatalogue.Of().Choose(separator));
        Assert.That(problems.Message, Does.Contain("must name at least one of hurried, patient"));
        problems = Assert.Throws<InvalidConfigurationException>(() => ZooCatalogue.Of().Choose("hurryed,patience"));
        Assert.That(problems.Message, Does.Contain("2 problem(s)"));
    }

    [Test]
    public void Steps_are_chosen_by_name_or_all_by_a_star()
    {
        var catalogue = ZooCatalogue.Of();
        Assert.That(catalogue.Choose("patient, hurried").Select(s => s.Name), Is.EquivalentTo(["hurried", "patient"]));
        Assert.That(catalogue.Choose("*"), Is.EqualTo(catalogue.Steps));
    }

    [Test]
    public void Two_steps_of_one_name_are_refused() =>
        Assert.That(
            () => new StepCatalogue().Add<HurriedStep>().Add<HurriedStep>(),
            Throws.ArgumentException.With.Message.Contains("Two steps are called 'hurried'")
        );

    private static IConfiguration Configuration(params (string Name, string? Value)[] settings) =>
        new ConfigurationBuilder().AddInMemoryCollection(settings.ToDictionary(s => s.Name, s => s.Value)).Build();
}
