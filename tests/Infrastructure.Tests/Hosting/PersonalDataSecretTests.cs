using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Configuration;
using QueueWorkers.Hosting;
using QueueWorkers.Outbox;
using QueueWorkers.PersonalData;

namespace Orders.Infrastructure.Tests.Hosting;

/// <summary>The secret behind the hashes of personal data.</summary>
public sealed class PersonalDataSecretTests
{
    private const string Good = "a-secret-with-enough-different-characters-01";

    [TestCase(null, "nothing")]
    [TestCase("", "nothing")]
    [TestCase("short", "5")]
    [TestCase("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "guessed")]
    [TestCase("development-only-secret-of-personal-data", "guessed")]
    public void A_missing_short_or_default_secret_is_refused(string? secret, string found)
    {
        var refusal = Assert.Throws<InvalidConfigurationException>(() => Read(("PersonalData:Secret", secret)))!;
        Assert.That(refusal.Message, Does.Contain("PersonalData__Secret").And.Contain(found));
        if (secret?.Length > 10)
            Assert.That(refusal.Message, Does.Not.Contain(secret), "a secret in a message");
    }

    [Test]
    public void A_short_previous_secret_is_refused() =>
        Assert.Throws<InvalidConfigurationException>(() =>
            Read(("PersonalData:Secret", Good), ("PersonalData:PreviousSecrets", "short"))
        );

    [Test]
    public void In_development_none_is_needed() =>
        Assert.That(Read(("environment", "Development")).Of("purpose", "text"), Has.Length.EqualTo(32));

    [Test]
    public void A_guessed_address_does_not_lead_to_the_key_of_a_message()
    {
        const string address = "zoe@example.com";
        var key = MessageKeys.ValueOf(Read(("PersonalData:Secret", Good)), address);
        Assert.That(key, Has.Length.EqualTo(16));
        Assert.That(
            key,
            Is.Not.EqualTo(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(address)).AsSpan(0, 8)))
        );
        Assert.That(key, Is.Not.EqualTo(MessageKeys.ValueOf(new PersonalDataHash(Good + "2"), address)));
        Assert.That(key, Is.EqualTo(MessageKeys.ValueOf(Read(("PersonalData:Secret", Good)), address)));
    }

    [Test]
    public void Values_of_an_earlier_secret_are_known()
    {
        var before = Read(("PersonalData:Secret", Good)).Of("purpose", "text");
        var after = Read(("PersonalData:Secret", Good + "2"), ("PersonalData:PreviousSecrets", Good));
        Assert.That(after.Of("purpose", "text"), Is.Not.EqualTo(before));
        Assert.That(after.EarlierOf("purpose", "text"u8).Single(), Is.EqualTo(before));
    }

    private static PersonalDataHash Read(params (string Key, string? Value)[] settings) =>
        PersonalDataHash.Read(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, s.Value)))
                .Build()
        );
}
