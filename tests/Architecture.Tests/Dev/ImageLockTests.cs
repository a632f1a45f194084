namespace Orders.Architecture.Tests.Dev;

/// <summary>
/// Attack: a tag of the registry is moved to another image. Base images are pulled by the digest that was seen at the
/// first pull, and another one is refused.
/// </summary>
[Platform("Linux")]
internal sealed class ImageLockTests
{
    private const string Image = "postgres:18";
    private const string Lock = "deploy/machine/images.lock";

    private static readonly string First = $"sha256:{new string('1', 64)}";
    private static readonly string Second = $"sha256:{new string('2', 64)}";

    private Clone _clone = null!;

    private string LockFile => Path.Combine(_clone.Folder, Lock);

    private string FirstPulls => Path.Combine(_clone.Folder, ".cache/images.lock");

    [SetUp]
    public void Copy()
    {
        _clone = new Clone();
        File.WriteAllText(LockFile, "# comment\n");
    }

    [TearDown]
    public void Remove() => _clone.Dispose();

    [Test]
    public async Task The_digest_of_the_first_pull_is_kept()
    {
        _clone.Answer($"image inspect {Image}", "", code: 1);
        Has(First);
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(_clone.Calls, Does.Contain($"pull {Image}\n"));
        // Git ignores it: a changed file of the repository would refuse the checkout of a later version.
        Assert.That(await File.ReadAllTextAsync(FirstPulls), Does.Contain($"{Image} {First}\n"));
        Assert.That(await File.ReadAllTextAsync(LockFile), Is.EqualTo("# comment\n"));

        _clone.Answer($"image inspect {Image}", "");
        Has(Second);
        var other = await _clone.RunAsync("up");
        Assert.That(other.Code, Is.EqualTo(1));
        Assert.That(
            other.Errors,
            Does.Contain($"The image {Image} of this machine is {Second}; .cache/images.lock pins {First}.")
        );
    }

    [Test]
    public async Task What_is_pinned_is_pulled_by_its_digest()
    {
        await File.AppendAllTextAsync(LockFile, $"{Image} {First}\n");
        _clone.Answer($"image inspect {Image}", "", code: 1);
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(_clone.Calls, Does.Contain($"pull postgres@{First}\n").And.Not.Contain($"pull {Image}\n"));
        Assert.That(_clone.Calls, Does.Contain($"tag postgres@{First} {Image}\n"));
    }

    [Test]
    public async Task The_repositorys_digest_goes_before_that_of_the_first_pull()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FirstPulls)!);
        await File.WriteAllTextAsync(FirstPulls, $"{Image} {First}\n");
        await File.AppendAllTextAsync(LockFile, $"{Image} {Second}\n");
        Has(Second);
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.Zero, answer.Text);
    }

    [Test]
    public async Task An_image_of_another_digest_is_refused()
    {
        await File.AppendAllTextAsync(LockFile, $"{Image} {First}\n");
        Has(Second);
        var answer = await _clone.RunAsync("up");
        Assert.That(answer.Code, Is.EqualTo(1));
        Assert.That(
            answer.Errors,
            Does.Contain($"The image {Image} of this machine is {Second}; {Lock} pins {First}.")
                .And.Contain("./dev images --renew")
        );
        Assert.That(_clone.Calls, Does.Not.Contain("compose build"));
    }

    // A stand-in, or an image of `docker load`.
    [Test]
    public async Task An_image_without_a_digest_is_not_compared()
    {
        await File.AppendAllTextAsync(LockFile, $"{Image} {First}\n");
        Assert.That((await _clone.RunAsync("up")).Code, Is.Zero);
    }

    [Test]
    public async Task Renew_pins_what_the_registry_has_now()
    {
        await File.AppendAllTextAsync(LockFile, $"{Image} {First}\nrabbitmq:4.3-management {First}\n");
        Has(Second);
        var answer = await _clone.RunAsync("images", "--renew");
        Assert.That(answer.Code, Is.Zero, answer.Text);
        Assert.That(
            await File.ReadAllTextAsync(LockFile),
            Does.Contain($"{Image} {Second}\n").And.Contain($"rabbitmq:4.3-management {First}\n")
        );
        Assert.That(answer.Output, Does.Match($@"(?m)^postgres:18 +pinned {Second}, here {Second}$"));
    }

    [Test]
    public void The_lock_file_names_base_images_by_digests()
    {
        var lines = Repository.Read(Lock).Split('\n').Where(line => line != "" && line[0] != '#');
        Assert.That(lines, Is.All.Match("^[a-z./0-9-]+:[a-z0-9.-]+ sha256:[0-9a-f]{64}$"));
    }

    private void Has(string digest) =>
        _clone.Answer($"image inspect --format *RepoDigests* {Image}", $"postgres@{digest}\n");
}
